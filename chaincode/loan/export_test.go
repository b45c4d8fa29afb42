package loan

// ReadClasses is readClasses, for its refusals.
func ReadClasses(data string) error {
	_, err := readClasses([]byte(data))
	return err
}
