package importing

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/gateway/giving"
)

// TestNoStore: a gateway that keeps no announcements refuses what a plan of
// elsewhere knows of them, and claims none.
func TestNoStore(t *testing.T) {
	if err := (Own{}).Take(t.Context(), make([]giving.Taking, 2)); !rule.Is(err, rule.Unsupported) {
		t.Errorf("takings: %v, want a refusal", err)
	}
	claims, err := Own{}.Claims(t.Context(), make([]giving.Memo, 2))
	if err != nil || len(claims) != 2 || claims[0] != (giving.Claim{}) {
		t.Errorf("claims: %v, %v; want two of nobody", claims, err)
	}
}
