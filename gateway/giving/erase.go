package giving

// Stands tells whether the ledger holds a gift.
type Stands func(Use) (bool, error)

// Why an announcement was erased.
const (
	unmet = "no bank line met it in time"
	asked = "its giver asked for it"
)

// Erase erases what a code names. Of a gift that has arrived article 38 of the
// Charity Law keeps who gave, which is left; code, salt, reference and wishes
// go, so the ledger's commitment says nothing any more, and the code finds
// nothing. Kept reports whether such a record is left.
func (s *Store) Erase(code string, stands Stands) (kept bool, err error) {
	found, err := s.Find(code)
	if err != nil {
		return false, err
	}
	arrived, err := anyStands(found.Uses, stands)
	if err != nil {
		return false, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	h := s.byID[found.ID]
	if h == nil || h.erased {
		return false, unknown() // somebody was faster
	}
	return arrived, s.forget(asked, map[*held]bool{h: arrived})
}

func anyStands(uses []Use, stands Stands) (bool, error) {
	for _, use := range uses {
		if is, err := stands(use); is || err != nil {
			return is, err
		}
	}
	return false, nil
}

// Sweep erases announcements whose time is over and whose money did not come,
// and returns how many.
func (s *Store) Sweep(stands Stands) (int, error) {
	end := s.now().AddDate(0, 0, -s.settings.KeepDays)
	var old []Announcement
	s.mutex.Lock()
	for _, h := range s.byID {
		if !h.erased && h.At.Before(end) {
			old = append(old, h.shown())
		}
	}
	s.mutex.Unlock()
	over := map[string]bool{}
	for _, a := range old {
		arrived, err := anyStands(a.Uses, stands)
		if err != nil {
			return 0, err
		}
		// What an import has just claimed may reach the ledger any moment.
		if !arrived && (len(a.Uses) == 0 || a.Uses[len(a.Uses)-1].At.Before(end)) {
			over[a.ID] = true
		}
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	gone := map[*held]bool{}
	for id := range over {
		// A line may have met it since it was looked at.
		if h := s.byID[id]; h != nil && !h.erased && (len(h.uses) == 0 || h.uses[len(h.uses)-1].At.Before(end)) {
			gone[h] = false
		}
	}
	return len(gone), s.forget(unmet, gone)
}

// forget rewrites the files without the announcements. Those that are true keep
// who gave. The mutex is held.
func (s *Store) forget(reason string, gone map[*held]bool) error {
	changes := map[place]record{}
	for h, keep := range gone {
		e := &erased{At: s.now(), Reason: reason}
		if keep {
			donor := h.donor()
			e.ID, e.Donor = h.ID, &donor
		}
		changes[h.place] = record{Erased: e}
	}
	if err := s.journal.replace(changes); err != nil {
		return err
	}
	for h, keep := range gone {
		hash, err := h.code()
		if err != nil {
			return err
		}
		delete(s.byCode, hash)
		delete(s.byReference, h.Reference)
		delete(s.byID, h.ID)
		if keep {
			s.byID[h.ID] = &held{announced: announced{ID: h.ID, Donor: h.Donor}, place: h.place, uses: h.uses, kind: h.kind, erased: true}
		}
	}
	return nil
}
