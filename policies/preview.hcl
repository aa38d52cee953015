# preview: what a pull request's preview runs as. It sees journals and metadata, and no secret of any kind. The marker key
# tells our keys from others in a store's list; the fingerprint key is of no use without a secret.

path "{{mount}}/data/{{project}}/{{stack}}/+/+/journal" { capabilities = ["read"] }
path "{{mount}}/data/{{project}}/{{stack}}/_*" { capabilities = ["read"] }

path "{{mount}}/metadata/{{project}}/{{stack}}/*" { capabilities = ["list", "read"] }

path "{{transit}}/hmac/connections-marker" { capabilities = ["update"] }

path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
