package rotation_test

import "testing"

func TestMain(m *testing.M) { leakTest(m) }
