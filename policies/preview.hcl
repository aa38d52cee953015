# preview: what a pull request's preview runs as. It sees journals and metadata, and no secret of any kind. Without logins it
# can list no store, so it needs neither key: who could sign markers could have a key of somebody else revoked.

path "{{mount}}/data/{{project}}/{{stack}}/+/+/journal" { capabilities = ["read"] }
path "{{mount}}/data/{{project}}/{{stack}}/_*" { capabilities = ["read"] }

path "{{mount}}/metadata/{{project}}/{{stack}}/*" { capabilities = ["list", "read"] }

path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
