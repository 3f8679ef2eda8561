package host

import (
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
)

// A word that stood under two actions would mean either, as the map happens to be walked.
func TestEachWordOfTheVaultMeansOneAction(t *testing.T) {
	n := 0
	for action, list := range vaultWords {
		if !policy.Declared(action) {
			t.Errorf("%s is not declared", action)
		}
		n += len(list)
	}
	if n != len(vaultActions) || n < 40 {
		t.Errorf("%d words, %d of them different", n, len(vaultActions))
	}
}
