package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
)

// link checks that a block is the next one: by its number, by the hash of the
// block before, and that its header commits to its data.
func (a *Auditor) link(block *common.Block) error {
	header := block.GetHeader()
	number := header.GetNumber()
	if number != a.Height() {
		a.add(Finding{Check: CheckChain, Block: &number, What: fmt.Sprintf("block %d is missing; nothing after it can be judged", a.Height()),
			Expected: fmt.Sprint(a.Height()), Found: fmt.Sprint(number)})
		return ErrIncomplete
	}
	if number > 0 && !bytes.Equal(header.GetPreviousHash(), a.previous) {
		a.add(Finding{Check: CheckChain, Block: &number, What: "the block names another block before it",
			Expected: hex.EncodeToString(a.previous), Found: hex.EncodeToString(header.GetPreviousHash())})
	}
	digest := sha256.New()
	for _, data := range block.GetData().GetData() {
		digest.Write(data)
	}
	if sum := digest.Sum(nil); !bytes.Equal(sum, header.GetDataHash()) {
		a.add(Finding{Check: CheckChain, Block: &number, What: "the block's header commits to other data",
			Expected: hex.EncodeToString(sum), Found: hex.EncodeToString(header.GetDataHash())})
	}
	a.previous = HeaderHash(header)
	return nil
}

// HeaderHash is what the next block names as the one before: the SHA-256 of
// number, previous hash and data hash in ASN.1.
func HeaderHash(header *common.BlockHeader) []byte {
	encoded, err := asn1.Marshal(struct {
		Number                 *big.Int
		PreviousHash, DataHash []byte
	}{new(big.Int).SetUint64(header.GetNumber()), header.GetPreviousHash(), header.GetDataHash()})
	if err != nil {
		return nil // a number and two byte strings can always be written
	}
	sum := sha256.Sum256(encoded)
	return sum[:]
}
