package pyyaml

// Limits bound what a document may cost. A zero field takes the default.
type Limits struct {
	Bytes int // of the text; default 1 MiB, never more than 1 GiB
	Depth int // lists and mappings within each other, through aliases too; default 64
	Nodes int // keys, values and items, counting every use of an alias in full; default 100,000, never more than 2^30
}

func (l Limits) orDefault() Limits {
	if l.Bytes == 0 {
		l.Bytes = 1 << 20
	}
	if l.Depth == 0 {
		l.Depth = 64
	}
	if l.Nodes == 0 {
		l.Nodes = 100_000
	}
	l.Bytes, l.Nodes = min(l.Bytes, most), min(l.Nodes, most)
	return l
}

// most is the largest limit: places and sizes are counted in 32 bits.
const most = 1 << 30

// maxDigits is Python's own limit for the decimal digits of an int.
const maxDigits = 4300
