# auditor: sees what was decided, when and by whom, and how old every login is. No secret, and writes nothing.

path "{{mount}}/data/{{project}}/{{stack}}/+/+/journal" { capabilities = ["read"] }
path "{{mount}}/data/{{project}}/{{stack}}/_*" { capabilities = ["read"] }

path "{{mount}}/metadata/{{project}}/{{stack}}/*" { capabilities = ["list", "read"] }
path "{{admins}}/metadata/*" { capabilities = ["list", "read"] }
path "{{hubs}}/metadata/*" { capabilities = ["list", "read"] }
path "{{adopt}}/metadata/*" { capabilities = ["list", "read"] }

path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
