# operator: a person who captures a credential made by hand, puts in what a vendor gave in return, and confirms. Writes secrets
# once, and reads none.

path "{{mount}}/data/{{project}}/{{stack}}/+/+/journal" { capabilities = ["read", "update"] }
path "{{mount}}/data/{{project}}/{{stack}}/+/+/generations/+" { capabilities = ["create"] }
# What a link's vendor gave in return.
path "{{mount}}/data/{{project}}/{{stack}}/+/+/inbound/+" { capabilities = ["create"] }
path "{{mount}}/data/{{project}}/{{stack}}/_*" { capabilities = ["read"] }

path "{{mount}}/metadata/{{project}}/{{stack}}/*" { capabilities = ["list", "read"] }

# Keys that were made by hand before this product came, put here to be adopted.
path "{{adopt}}/data/*" { capabilities = ["create", "update"] }
path "{{adopt}}/metadata/*" { capabilities = ["list", "read"] }

path "{{transit}}/hmac/connections-fingerprint" { capabilities = ["update"] }

# Hand-overs: a single-use token around values, whether it still waits, and its end. An accessor must be known to be used:
# listing them takes a right that nobody has here.
path "sys/wrapping/wrap" { capabilities = ["update"] }
path "auth/token/lookup-accessor" { capabilities = ["update"] }
path "auth/token/revoke-accessor" { capabilities = ["update"] }

path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
