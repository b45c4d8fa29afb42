package contract

import (
	"crypto/sha256"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/dossier/seal"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Show answers a member with a private value. It is evaluated, never submitted:
// the answer to what is submitted stands in every peer's blocks. Nothing in
// Fabric keeps a client from submitting it all the same, so the answer is
// sealed under a key that the caller drew and sent as transient data: a block
// would hold what nobody can read.
func (*Dossier) Show(ctx Context, argument string) (string, error) {
	query, err := spelled[dossier.ShowQuery](dossier.ShowNames())([]byte(argument))
	if err != nil {
		return "", err
	}
	t, err := begin(ctx, sha256.Sum256([]byte(argument)))
	if err != nil {
		return "", err
	}
	if t.role != party.RoleGateway && t.role != party.RoleAuditor {
		return "", rule.Refuse(rule.Forbidden, "this needs the role gateway or auditor")
	}
	if err := query.Collection.Open(t.msp); err != nil {
		return "", err
	}
	key, err := t.secret()
	if err != nil {
		return "", err
	}
	value, err := t.private(query.Collection, dossier.ValueKey(query.Record))
	if err != nil {
		return "", err
	}
	if len(value) == 0 {
		return "", rule.Field("record", rule.Refuse(rule.NotFound, "holds no value"))
	}
	sealed, err := seal.Close(key, query, value)
	if err != nil {
		return "", err
	}
	answer, err := canonical.Encode(sealed)
	return string(answer), err
}
