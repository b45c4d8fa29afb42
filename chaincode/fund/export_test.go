package fund

// What the tests of properties look at from within.
var (
	ReadLaw = readLaw
	Share   = share
)
