package pytype

// class is what the table knows about a class.
type class struct {
	generic  bool     // may be written with [parameters]
	abstract bool     // its metaclass is ABCMeta, which refuses parameterised types in issubclass
	supers   []string // the known classes it is a subclass of, without object
}

// alias is a name of the typing module that stands for a generic class.
type alias struct {
	origin string
	params int // how many parameters it takes; 0 none, -1 any number
}

// typingAliases are the older spellings of generic classes in Python 3.11's typing module.
var typingAliases = map[string]alias{
	"List": {"list", 1}, "Dict": {"dict", 2}, "Set": {"set", 1}, "FrozenSet": {"frozenset", 1}, "Tuple": {"tuple", -1},
	"Type": {"type", 1}, "Deque": {"collections.deque", 1}, "DefaultDict": {"collections.defaultdict", 2},
	"OrderedDict": {"collections.OrderedDict", 2}, "Counter": {"collections.Counter", 1},
	"ChainMap": {"collections.ChainMap", 2}, "Callable": {nameCallable, 2},
	"Iterable": {nameIterable, 1}, "Iterator": {"collections.abc.Iterator", 1},
	"Reversible": {"collections.abc.Reversible", 1}, "Container": {"collections.abc.Container", 1},
	"Collection": {"collections.abc.Collection", 1}, "Sequence": {"collections.abc.Sequence", 1},
	"MutableSequence": {"collections.abc.MutableSequence", 1}, "AbstractSet": {"collections.abc.Set", 1},
	"MutableSet": {"collections.abc.MutableSet", 1}, "Mapping": {"collections.abc.Mapping", 2},
	"MutableMapping": {"collections.abc.MutableMapping", 2}, "MappingView": {"collections.abc.MappingView", 1},
	"KeysView": {"collections.abc.KeysView", 1}, "ItemsView": {"collections.abc.ItemsView", 2},
	"ValuesView": {"collections.abc.ValuesView", 1}, "Awaitable": {"collections.abc.Awaitable", 1},
	"Coroutine": {"collections.abc.Coroutine", 3}, "AsyncIterable": {"collections.abc.AsyncIterable", 1},
	"AsyncIterator": {"collections.abc.AsyncIterator", 1}, "Generator": {"collections.abc.Generator", 3},
	"AsyncGenerator": {"collections.abc.AsyncGenerator", 2}, "Hashable": {"collections.abc.Hashable", 0},
	"Sized": {"collections.abc.Sized", 0}, "ByteString": {"collections.abc.ByteString", 0},
}

// typingSpecials are the names of the typing module that are neither classes nor aliases of one.
var typingSpecials = map[string]bool{"Any": true, "Union": true, "Optional": true, "Literal": true}
