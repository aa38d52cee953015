# verify: the nightly proof. It reads the secrets it proves and the logins it looks with, and writes proofs into journals
# that are there; nothing else.

path "{{mount}}/data/{{project}}/{{stack}}/+/+/journal" { capabilities = ["read", "update"] }
path "{{mount}}/data/{{project}}/{{stack}}/+/+/credential" { capabilities = ["read"] }
path "{{mount}}/data/{{project}}/{{stack}}/+/+/generations/+" { capabilities = ["read"] }
path "{{mount}}/data/{{project}}/{{stack}}/+/+/inbound/+" { capabilities = ["read"] }
path "{{mount}}/data/{{project}}/{{stack}}/_*" { capabilities = ["read"] }

path "{{mount}}/metadata/{{project}}/{{stack}}/*" { capabilities = ["list", "read"] }

path "{{admins}}/data/*" { capabilities = ["read"] }
path "{{hubs}}/data/*" { capabilities = ["read"] }

path "{{transit}}/hmac/connections-marker" { capabilities = ["update"] }
path "{{transit}}/hmac/connections-fingerprint" { capabilities = ["update"] }

path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
