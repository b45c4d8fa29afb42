package audit

import (
	"github.com/hyperledger/fabric-protos-go-apiv2/common"

	"github.com/lianbao/lianbao/chaincode/replay"
)

// members are the organisations as the channel's configuration names them.
type members map[string]bool

func (a *Auditor) signatures(*common.Block, []replay.Transaction) {}
