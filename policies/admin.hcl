# admin: the security people. The only writer of logins at stores and hubs, each under the host it is for; sets a stack up,
# and brings back a journal that somebody deleted. Reads no credential that the product made.

path "{{admins}}/data/*" { capabilities = ["create", "read", "update", "delete"] }
path "{{admins}}/destroy/*" { capabilities = ["update"] }
path "{{admins}}/metadata/*" { capabilities = ["list", "read"] }
path "{{hubs}}/data/*" { capabilities = ["create", "read", "update", "delete"] }
path "{{hubs}}/destroy/*" { capabilities = ["update"] }
path "{{hubs}}/metadata/*" { capabilities = ["list", "read"] }
path "{{adopt}}/data/*" { capabilities = ["create", "read", "update", "delete"] }
path "{{adopt}}/destroy/*" { capabilities = ["update"] }
path "{{adopt}}/metadata/*" { capabilities = ["list", "read"] }

path "{{mount}}/data/{{project}}/{{stack}}/+/+/journal" { capabilities = ["read"] }
path "{{mount}}/undelete/{{project}}/{{stack}}/+/+/journal" { capabilities = ["update"] }
path "{{mount}}/data/{{project}}/{{stack}}/_*" { capabilities = ["read"] }
path "{{mount}}/data/{{project}}/{{stack}}/_sentinel" { capabilities = ["create", "read", "update"] }
path "{{mount}}/metadata/{{project}}/{{stack}}/*" { capabilities = ["list", "read"] }

path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
