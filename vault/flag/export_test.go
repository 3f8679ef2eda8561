package flag

// Kept tells a test how many flags of an app an engine keeps.
func Kept(e *Engine, app string) int { return len(*(*e.apps.Load())[app].flags.Load()) }

// ParseVersion and CompareVersions are for the fuzz target.
var ParseVersion = parseVersion

// CompareVersions orders two versions.
func CompareVersions(a, b version) int { return a.compare(b) }
