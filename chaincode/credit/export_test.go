package credit

// What the tests look at from within.
var (
	InForce = inForce
	Rounded = rounded
)

// Worth is what an indicator's table gives for a value.
func (i Indicator) Worth(value int64) int32 { return i.worth(value) }
