package waterfall

// What the tests of the law's files look at from within.
var ReadLaw = readLaw
