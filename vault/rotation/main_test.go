package rotation_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain turns the test program into a replica when it is started as one.
func TestMain(m *testing.M) {
	if config := os.Getenv(replicaEnv); config != "" {
		fmt.Println("error:", runReplica(config))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}
