# apply: what `pulumi up` and `pulumi destroy` run as. It mints, publishes and revokes. It may not delete metadata (a document
# that was deleted whole begins again at version 0, and a sleeping writer's check-and-set would succeed), write a login,
# or make the sentinel.

path "{{mount}}/data/{{project}}/{{stack}}/+/+/journal" { capabilities = ["create", "read", "update"] }
path "{{mount}}/data/{{project}}/{{stack}}/+/+/credential" { capabilities = ["create", "read", "update"] }
# `update` too: without it check-and-set on a number that was used is answered "denied" in place of "somebody wrote first";
# so with what vendors gave in return.
path "{{mount}}/data/{{project}}/{{stack}}/+/+/generations/+" { capabilities = ["create", "read", "update"] }
path "{{mount}}/data/{{project}}/{{stack}}/+/+/inbound/+" { capabilities = ["create", "read", "update"] }
path "{{mount}}/data/{{project}}/{{stack}}/_*" { capabilities = ["create", "read", "update"] }
path "{{mount}}/data/{{project}}/{{stack}}/_sentinel" { capabilities = ["read"] }

path "{{mount}}/destroy/{{project}}/{{stack}}/+/+/credential" { capabilities = ["update"] }
path "{{mount}}/destroy/{{project}}/{{stack}}/+/+/generations/+" { capabilities = ["update"] }
path "{{mount}}/destroy/{{project}}/{{stack}}/+/+/inbound/+" { capabilities = ["update"] }

path "{{mount}}/metadata/{{project}}/{{stack}}/*" { capabilities = ["list", "read"] }

path "{{admins}}/data/*" { capabilities = ["read"] }
path "{{hubs}}/data/*" { capabilities = ["read"] }
path "{{adopt}}/data/*" { capabilities = ["read"] }

path "{{transit}}/hmac/connections-marker" { capabilities = ["update"] }
path "{{transit}}/hmac/connections-fingerprint" { capabilities = ["update"] }

# Hand-overs: a single-use token around values, whether it still waits, and its end. An accessor must be known to be used:
# listing them takes a right that nobody has here.
path "sys/wrapping/wrap" { capabilities = ["update"] }
path "auth/token/lookup-accessor" { capabilities = ["update"] }
path "auth/token/revoke-accessor" { capabilities = ["update"] }

path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
