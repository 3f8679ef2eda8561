package door

// Open reads the bytes inside a sealed.Value; sealed sets it when it is loaded. The caller owns the copy it gets.
var Open func(value any) []byte
