package story

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
)

// A season of coffee: twelve groups of one cooperative, a bank that lends, and
// the cooperative's own fund that lends beside it.
const (
	coffee       = tape.AccountID("coop:coop:invented-coffee")
	coffeeBank   = tape.AccountID("outside:bank:invented-coffee")
	lending      = tape.AccountID("lender:bank:invented-coffee")
	lendingBank  = tape.AccountID("outside:bank:invented-lending")
	ownFund      = tape.AccountID("lender:coop:invented-fund")
	ownFundBank  = tape.AccountID("outside:bank:invented-fund")
	nursery      = tape.AccountID("outside:supplier:invented-nursery")
	fertiliser   = tape.AccountID("outside:supplier:invented-fertiliser")
	stationAgent = tape.ID("invented-agent-02")
	groups       = 12
	lendingUnits = 600_000
	ownFundUnits = 60_000
	ownShare     = 300_000
	industry     = "coffee"
)

// Cooperative is what the season came to.
type Cooperative struct {
	// Scheme is the cooperative's; Groups and Households are how many it has.
	Scheme     tape.AccountID `json:"scheme"`
	Groups     int            `json:"groups"`
	Households int            `json:"households"`
	Loans      int            `json:"loans"`
	// Sale is settled; Payouts are what the bank paid out of it. Defaulted is the loan whose guarantors are called.
	Sale      tape.ID `json:"sale"`
	Payouts   int     `json:"payouts"`
	Defaulted tape.ID `json:"defaulted"`
}

// season is the third story.
type season struct {
	*teller
	// officers are two of each organisation's staff: who makes and who checks.
	officers map[string][]founding.Signer
	agent    founding.Signer
	farms    []farm
	told     Cooperative
}

// farm is an invented household: the n-th of the cooperative, from 1.
type farm struct {
	n         int
	household tape.AccountID
	person    founding.Signer
	// served lives far from the road and has no telephone: a card signs for it at a
	// station, and the village's agent brings its papers and its coffee.
	served bool
}

// outside is where the household is paid off the ledger.
func (f farm) outside() tape.AccountID {
	return tape.AccountID("outside:household:" + tape.PseudonymFrom(fmt.Sprint("invented coffee ", f.n)))
}

// fingerprint is what is the same for a household in every scheme.
func (f farm) fingerprint() string { return fmt.Sprintf("invented-household-%02dA", f.n) }

// course is a row of commands of which each is judged with what those before it wrote.
type course struct {
	*season
	last uint64
}

func (s *season) course() *course { return &course{s, s.teller.last.Load()} }

// beside runs as many courses side by side, and goes on behind all of them.
func (c *course) beside(ctx context.Context, n int, work func(context.Context, *course, int) error) error {
	all, working := errgroup.WithContext(ctx)
	var latest atomic.Uint64
	for i := range n {
		all.Go(func() error {
			one := &course{c.season, c.last}
			err := work(working, one, i)
			for block := latest.Load(); one.last > block && !latest.CompareAndSwap(block, one.last); block = latest.Load() {
			}
			return err
		})
	}
	err := all.Wait()
	c.last = max(c.last, latest.Load())
	return err
}

// signs sends what persons have signed about the scheme, through an
// organisation whose peer has seen what the course wrote before.
func (c *course) signs(ctx context.Context, organisation, function, action string, amount money.Amount, command any, signers ...founding.Signer) error {
	return c.signsAbout(ctx, string(coffee), organisation, function, action, amount, command, signers...)
}

// nothing is the amount of a decision about no money.
var nothing money.Amount

func (c *course) signsAbout(ctx context.Context, subject, organisation, function, action string, amount money.Amount, command any, signers ...founding.Signer) error {
	decision := founding.Decision{Action: action, Subject: subject, Deadline: c.begun + 29*day}
	if amount != nothing {
		decision.Amount = amount.String()
	}
	argument, err := founding.Envelope(c.Charter.Ledger, command, decision, signers...)
	if err != nil {
		return err
	}
	return c.sends(ctx, organisation, function, argument)
}

// records sends what nobody needs to sign.
func (c *course) records(ctx context.Context, organisation, function string, command any) error {
	argument, err := canonical.Encode(command)
	if err != nil {
		return err
	}
	return c.sends(ctx, organisation, function, argument)
}

func (c *course) sends(ctx context.Context, organisation, function string, argument []byte) error {
	if c.last > 0 { // the organisation's peer has what the course wrote
		if err := c.sees(ctx, organisation, c.last); err != nil {
			return err
		}
	}
	block, err := c.Gateways[organisation].Send(ctx, function, argument)
	c.last = max(c.last, c.note(block))
	return naming(function, err)
}

// naming says which command was refused: several go side by side.
func naming(function string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", function, err)
}

func (s *season) tell(ctx context.Context) error {
	if err := s.peoples(); err != nil {
		return err
	}
	for _, chapter := range []func(context.Context, *course) error{s.opening, s.funding, s.grouping, s.lends, s.arrears, s.harvesting, s.settling} {
		if err := chapter(ctx, s.course()); err != nil {
			return err
		}
	}
	return nil
}

// sizeOf is how many households the i-th group has: three, four or five.
func sizeOf(i int) int { return 3 + i%3 }

// members are the households of the i-th group, from 0.
func (s *season) members(i int) []farm {
	first := 0
	for j := range i {
		first += sizeOf(j)
	}
	return s.farms[first : first+sizeOf(i)]
}

// remote are the groups of the last village, whose households have no telephone.
const remote = groups - 2

// peoples finds the keys of everybody who signs; they lie on invented devices of this folder.
func (s *season) peoples() (err error) {
	s.officers = map[string][]founding.Signer{}
	for _, organisation := range []string{coop, bank, regulator} {
		maker, checker, err := founding.Staff(s.Folder, organisation)
		if err != nil {
			return err
		}
		s.officers[organisation] = []founding.Signer{maker, checker}
	}
	if s.agent, err = founding.Device(s.Folder, coop, stationAgent, s.Charter.Ledger); err != nil {
		return err
	}
	n := 0
	for i := range groups {
		for range sizeOf(i) {
			n++
			f := farm{n: n, served: i >= remote, household: tape.AccountID("household:" + string(tape.PseudonymFrom(fmt.Sprint("invented coffee ", n))) + ":invented-coffee")}
			if f.person, err = founding.Device(s.Folder, coop, person("farmer", n), s.Charter.Ledger); err != nil {
				return err
			}
			s.farms = append(s.farms, f)
		}
	}
	s.told = Cooperative{Scheme: coffee, Groups: groups, Households: n, Sale: coffeeSale, Defaulted: s.defaulted().id}
	return nil
}

// schemeTerms are what cooperative and lenders agree on.
func schemeTerms() group.SchemeTerms {
	return group.SchemeTerms{CureDays: 30, DefaultDays: 30, ExclusionMonths: 24, GroupMonthsMax: 36, GroupSizeMax: 5, GroupSizeMin: 3, GuaranteeMonths: 24, Industry: industry, LivingFloor: yuan(0),
		MemberMax: yuan(60_000), MemberSharePartsPerMillion: 400_000, NoticeDays: []int32{1, 15}, OriginatorPartsPerMillion: ownShare, PoolingDays: 30, RefillDays: 90, StayDaysMax: 180, WindowDays: 45}
}

// opening: the scheme is opened and accepted by both lenders, and its suppliers are listed.
func (s *season) opening(ctx context.Context, c *course) error {
	s.say("coffee season: a cooperative and its lenders agree on a scheme, %d households are admitted", len(s.farms))
	open := group.OpenScheme{Account: coffee, Custodian: coffeeBank, ID: "season.open", Lenders: []string{bank, coop}, Terms: schemeTerms()}
	if err := c.signs(ctx, coop, "Group:OpenScheme", "open-scheme", nothing, open, s.officers[coop]...); err != nil {
		return err
	}
	for _, lender := range open.Lenders {
		accept := group.AcceptScheme{Account: coffee, ID: "season.accept", Proposal: coop + "/season.open"}
		if err := c.signs(ctx, lender, "Group:AcceptScheme", "accept-scheme", nothing, accept, s.officers[lender]...); err != nil {
			return err
		}
	}
	if err := c.registers(ctx, s.agent, party.Own, party.DutyAgent); err != nil {
		return err
	}
	return c.beside(ctx, 1+len(s.farms), func(ctx context.Context, c *course, i int) error {
		if i == len(s.farms) {
			return s.lists(ctx, c)
		}
		return s.admits(ctx, c, s.farms[i])
	})
}

// lists names the suppliers whom purpose-locked loans may pay.
func (s *season) lists(ctx context.Context, c *course) error {
	for i, supplier := range []struct {
		account  tape.AccountID
		category string
	}{{nursery, "seedling"}, {fertiliser, "fertiliser"}} {
		name := group.NameSupplier{Account: coffee, Categories: []string{supplier.category}, Controllers: []string{fmt.Sprintf("invented-household-9%dA", i)}, ID: tape.ID("season.supplier." + supplier.category), Supplier: supplier.account}
		if err := c.signs(ctx, coop, "Group:NameSupplier", "name-supplier", nothing, name, s.officers[coop]...); err != nil {
			return err
		}
	}
	return nil
}

// admits registers a household's person and makes it a member. The regulator
// brings the key: whoever registers one carries nothing that it signs for 30 days.
func (s *season) admits(ctx context.Context, c *course, f farm) error {
	custody, signers := party.Own, s.officers[coop]
	admit := group.Admit{Account: coffee, Adult: true, Capacity: true, Fingerprint: f.fingerprint(), Household: f.household, ID: tape.ID(fmt.Sprintf("season.admit-%02d", f.n)), Person: f.person.Person}
	if f.served {
		custody, admit.Agent, signers = party.Card, s.agent.Person, append(signers[:2:2], s.agent)
	}
	if err := c.registers(ctx, f.person, custody, party.DutyMember); err != nil {
		return err
	}
	return c.signs(ctx, coop, "Group:Admit", "admit", nothing, admit, signers...)
}

func (c *course) registers(ctx context.Context, signer founding.Signer, custody party.Custody, duty party.Duty) error {
	proof, err := sign.Possession(signer.Key, c.Charter.Ledger, party.Possession{Person: signer.Person, Custody: custody, Duty: duty, Organisation: coop, Registrar: regulator})
	if err != nil {
		return err
	}
	if err := c.records(ctx, regulator, "Party:Register", party.RegisterCommand{Address: sign.Address(signer.Key), Custody: custody, Duty: duty, ID: "register-" + signer.Person, Organisation: coop, Person: signer.Person, Proof: proof}); err != nil {
		return err
	}
	return c.records(ctx, coop, "Party:Witness", party.WitnessCommand{Address: sign.Address(signer.Key), Duty: duty, ID: "witness-" + signer.Person, Person: signer.Person})
}

// funding opens the lenders' accounts, lets their capital come and offers what they lend.
func (s *season) funding(ctx context.Context, c *course) error {
	if err := c.beside(ctx, 2, func(ctx context.Context, c *course, i int) error {
		one := []struct {
			lender        string
			account, bank tape.AccountID
			units         int64
		}{{bank, lending, lendingBank, lendingUnits}, {coop, ownFund, ownFundBank, ownFundUnits}}[i]
		open := tape.Open{Account: one.account, Attribution: tape.FIFO, Currency: "CNY", Custodian: one.bank, ID: "season.lending"}
		if err := c.signsAbout(ctx, string(one.account), one.lender, "Loan:OpenLending", "open-lending", nothing, open, s.officers[one.lender]...); err != nil {
			return err
		}
		capital := sheet{bank: one.bank, id: tape.ID("season.capital." + one.lender), days: 1, in: []movement{{yuan(one.units), "capital"}}}
		if one.lender == bank { // what a household that is late has paid meanwhile on its loan of before
			capital.in = append(capital.in, movement{cured, "late household"})
		}
		if err := c.files(ctx, capital); err != nil {
			return err
		}
		return c.arrives(ctx, one.lender, one.account, capital)
	}); err != nil {
		return err
	}
	return c.beside(ctx, len(products()), func(ctx context.Context, c *course, i int) error {
		p := products()[i]
		offer := loan.OfferProduct{Account: coffee, Conditions: p.conditions(), ID: tape.ID("season.offer." + p.name), Product: tape.ID(p.name), Version: 1}
		signers := s.officers[p.lenders[0].Organisation]
		for _, lender := range p.lenders[1:] {
			signers = append(signers[:2:2], s.officers[lender.Organisation][0])
		}
		return c.signs(ctx, p.lenders[0].Organisation, "Loan:OfferProduct", "offer-product", nothing, offer, signers...)
	})
}

// product is what the season's lenders offer.
type product struct {
	name    string
	lenders []loan.Lender
	purpose string
	// supplies are what its money buys; none where the household gets it.
	supplies []string
	terms    terms.Terms
}

// products are what is bought by order, what two lend together, what pays for the
// picking, and what was lent before the ledger stood.
func products() []product {
	alone := []loan.Lender{{Account: lending, Organisation: bank, PartsPerMillion: 1_000_000}}
	together := []loan.Lender{{Account: ownFund, Organisation: coop, PartsPerMillion: ownShare}, {Account: lending, Organisation: bank, PartsPerMillion: 1_000_000 - ownShare}}
	monthly := terms.Terms{Method: terms.EqualPrincipal, RatePartsPerMillion: 60_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 6, Every: terms.Interval{Months: 1}}
	annuity := monthly
	annuity.Method, annuity.RatePartsPerMillion, annuity.Instalments = terms.Annuity, 54_000, 12
	once := monthly
	once.Method, once.Instalments = terms.Bullet, 1
	earlier := monthly
	earlier.RatePartsPerMillion = 72_000
	return []product{{"inputs", alone, "inputs", []string{"fertiliser", "seedling"}, monthly}, {"equipment", together, "equipment", nil, annuity}, {"picking", alone, "harvest", nil, once}, {"earlier", alone, "repair", nil, earlier}}
}

func (p product) conditions() loan.Conditions {
	return loan.Conditions{Lenders: p.lenders, OfferDays: 30, PrincipalMin: yuan(1_000), PrincipalMax: yuan(20_000), Purposes: []string{p.purpose}, Supplies: p.supplies, TermDaysMax: 400, Terms: p.terms, ToleranceUnits: 100, TranchesMax: 1}
}

func productOf(name string) product {
	for _, p := range products() {
		if p.name == name {
			return p
		}
	}
	return product{}
}
