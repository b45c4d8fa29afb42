package acts

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/typed"
)

// schemeFields are the terms of a scheme; see group.SchemeTerms.
func schemeFields() []Field {
	under := func(name string, of Kind, path string) Field { return kind(name, of).at("terms." + path) }
	return []Field{
		kind("lenders", Names).need(), under("industry", Line, "industry"),
		under("size-min", Number, "groupSizeMin").need(), under("size-max", Number, "groupSizeMax").need(), under("months-max", Number, "groupMonthsMax").need(),
		under("guarantee-months", Number, "guaranteeMonths").need(), under("member-max", Amount, "memberMax").need(), under("member-share", Share, "memberSharePartsPerMillion").need(),
		under("deposit", Share, "depositPartsPerMillion"), under("living-floor", Amount, "livingFloor"), under("living-floor-share", Share, "livingFloorPartsPerMillion"),
		under("originator-share", Share, "originatorPartsPerMillion"), under("notice-days", Names, "noticeDays").need(), under("default-days", Number, "defaultDays").need(),
		under("cure-days", Number, "cureDays").need(), under("cooling-days", Number, "coolingDays"), under("exclusion-months", Number, "exclusionMonths"),
		under("refill-days", Number, "refillDays").need(), under("window-days", Number, "windowDays").need(), under("pooling-days", Number, "poolingDays").need(),
		under("stay-days-max", Number, "stayDaysMax"), under("sequence", Names, "sequence"),
	}
}

// usualTerms are what the form of a new scheme begins with: the law's limits, and
// days that can be argued for. Lenders and amounts nobody else can say.
func usualTerms(g *ground) Answers {
	law, err := group.LawOn(g.context().Date)
	if err != nil {
		return Answers{}
	}
	a := schemeAnswers(nil, group.SchemeTerms{CoolingDays: 30, CureDays: 30, DefaultDays: 90, ExclusionMonths: 24, GroupMonthsMax: law.GroupMonthsMax, GroupSizeMax: law.GroupSizeMax, GroupSizeMin: law.GroupSizeMin,
		GuaranteeMonths: law.GuaranteeMonths, MemberSharePartsPerMillion: 400_000, NoticeDays: []int32{1, 15, 30}, OriginatorPartsPerMillion: 300_000, PoolingDays: 30, RefillDays: 90, StayDaysMax: 180, WindowDays: 30})
	delete(a.Texts, "member-max")
	delete(a.Texts, "living-floor")
	return a
}

// schemeAnswers are terms as they would have been typed.
func schemeAnswers(lenders []string, t group.SchemeTerms) Answers {
	number := func(n int32) string { return strconv.Itoa(int(n)) }
	several := func(numbers []int32) string {
		var texts []string
		for _, n := range numbers {
			texts = append(texts, number(n))
		}
		return strings.Join(texts, " ")
	}
	return Answers{Texts: map[string]string{"lenders": strings.Join(lenders, " "), "industry": t.Industry, "size-min": number(t.GroupSizeMin), "size-max": number(t.GroupSizeMax), "months-max": number(t.GroupMonthsMax),
		"guarantee-months": number(t.GuaranteeMonths), "member-max": t.MemberMax.String(), "member-share": typed.ShareText(t.MemberSharePartsPerMillion), "deposit": typed.ShareText(t.DepositPartsPerMillion),
		"living-floor": t.LivingFloor.String(), "living-floor-share": typed.ShareText(t.LivingFloorPartsPerMillion), "originator-share": typed.ShareText(t.OriginatorPartsPerMillion),
		"notice-days": several(t.NoticeDays), "default-days": number(t.DefaultDays), "cure-days": number(t.CureDays), "cooling-days": number(t.CoolingDays), "exclusion-months": number(t.ExclusionMonths),
		"refill-days": number(t.RefillDays), "window-days": number(t.WindowDays), "pooling-days": number(t.PoolingDays), "stay-days-max": number(t.StayDaysMax), "sequence": several(t.Sequence)}}
}

// termsNow are a scheme's terms in force, or those that wait.
func termsNow(g *ground) Answers {
	s := g.scheme()
	switch {
	case s == nil:
		return Answers{}
	case s.Pending != nil:
		return schemeAnswers(s.Pending.Lenders, s.Pending.Terms)
	}
	if now := record[group.Terms](g, group.TermsKey(g.subject, s.Version)); now != nil {
		return schemeAnswers(now.Lenders, now.Terms)
	}
	return Answers{}
}

// floored gives a scheme without a living floor one of nothing.
func floored(t *group.SchemeTerms) {
	if t.LivingFloor.Currency == "" {
		t.LivingFloor = money.New(0, t.MemberMax.Currency)
	}
}

func groupActs() []Act {
	household, person := kind("household", Account).need(), kind("person", Name).need()
	return slices.Concat([]Act{
		about("open-scheme", "Group:OpenScheme", "", append([]Field{kind("scheme", Account).at("account").need(), kind("custodian", Account).need()}, schemeFields()...),
			steps[group.OpenScheme]{finish: func(_ *form, c *group.OpenScheme) { floored(&c.Terms) }}, makerAndChecker[group.OpenScheme]).apart().from(usualTerms),
		about("amend-scheme", "Group:AmendScheme", "", schemeFields(), steps[group.AmendScheme]{finish: func(_ *form, c *group.AmendScheme) { floored(&c.Terms) }}, makerAndChecker[group.AmendScheme]).amending().from(termsNow),
		plain("accept-scheme", "Group:AcceptScheme", "", []Field{kind("proposal", Given)}, makerAndChecker[group.AcceptScheme]).of(Lender).from(func(g *ground) Answers {
			if s := g.scheme(); s != nil && s.Pending != nil {
				return Answers{Texts: map[string]string{"proposal": s.Pending.Entry}}
			}
			return Answers{}
		}),
		about("name-supplier", "Group:NameSupplier", "", []Field{kind("supplier", Account).need(), kind("categories", Names).need(), kind("controllers", Names), kind("withdraw", Mark)},
			steps[group.NameSupplier]{finish: func(_ *form, c *group.NameSupplier) { // the order in which they were typed says nothing
				slices.Sort(c.Categories)
				slices.Sort(c.Controllers)
			}}, makerAndChecker[group.NameSupplier]),
		plain("relate", "Group:Relate", "", []Field{household, kind("other", Account).need(), kind("withdraw", Mark)}, makerAndChecker[group.Relate]).on(HouseholdPage),
		plain("admit", "Group:Admit", "", []Field{household, person, line("fingerprint").need(), kind("adult", Mark).need(), kind("capacity", Mark).need(), kind("agent", Name)}, func(g *ground, c group.Admit) []Signer {
			if c.Agent != "" {
				return append(g.staff(money.Amount{}), Signer{Person: c.Agent})
			}
			return g.staff(money.Amount{})
		}),
		plain("replace-signer", "Group:ReplaceSigner", "", []Field{household, person, choice("reason", "signer-reason.", group.SignerReasons()...).need()}, makerAndChecker[group.ReplaceSigner]).on(HouseholdPage),
		plain("member-died", "Group:MemberDied", "", []Field{household}, (*ground).attestDeath).on(HouseholdPage),
		plain("leave", "Group:Leave", "", []Field{household}, func(g *ground, c group.Leave) []Signer { return g.personOf(c.Household) }).of(Household).to(servers).on(HouseholdPage),
	}, formingActs(household), livingActs(household))
}

// attestDeath: one organisation alone lets nobody die, unless the person was revoked.
func (g *ground) attestDeath(c group.MemberDied) []Signer {
	signers := g.staff(money.Amount{})
	for _, one := range g.personOf(c.Household) {
		if person := g.person(one.Person); person != nil && person.Revoked != 0 {
			return signers
		}
	}
	return append(signers, g.others(1)...)
}

// formingActs bring a group about.
func formingActs(household Field) []Act {
	members := rows("members", kind("household", Account), kind("share", Share).at("partsPerMillion"))
	in := func(f Field, path string) Field { return f.at("agreement." + path) }
	return []Act{
		about("form-group", "Group:FormGroup", "group", []Field{in(members, "members").need(), in(kind("group-max", Amount), "groupMax").need(), in(kind("member-max", Amount), "memberMax").need(),
			in(kind("expiry", Day), "expiry").need(), in(kind("guarantee-months", Number), "guaranteeMonths").need(), in(kind("text-en", Document), "textEn").need(), in(kind("text-zh", Document), "textZh").need()},
			steps[group.FormGroup]{finish: (*form).agrees}, makerAndChecker[group.FormGroup]).from(groupBegins).on(SchemePage),
		about("sign-group", "Group:SignGroup", "group", []Field{household}, steps[group.SignGroup]{finish: func(f *form, c *group.SignGroup) {
			if g := f.ground.group(c.Group); g != nil {
				if c.Agreement = g.AgreementHash; g.Joining != nil {
					c.Joining = g.Joining.Household
				}
			}
		}}, func(g *ground, c group.SignGroup) []Signer { return g.personOf(c.Household) }).of(Household).to(servers),
		plain("endorse", "Group:Endorse", "group", nil, makerAndChecker[group.Endorse]),
		plain("approve-group", "Group:ApproveGroup", "group", nil, makerAndChecker[group.ApproveGroup]).of(Lender),
		plain("reject-group", "Group:RejectGroup", "group", []Field{choice("reason", "reject-group-reason.", group.RejectReasons()...).need()}, makerAndChecker[group.RejectGroup]).of(Cooperative, Lender),
		plain("refill", "Group:Refill", "group", []Field{household, members.need()}, makerAndChecker[group.Refill]),
	}
}

// groupBegins is what the scheme says of its groups.
func groupBegins(g *ground) Answers {
	s := g.scheme()
	if s == nil || s.Version == 0 {
		return Answers{}
	}
	now := record[group.Terms](g, group.TermsKey(g.subject, s.Version))
	if now == nil {
		return Answers{}
	}
	return Answers{Texts: map[string]string{"member-max": now.Terms.MemberMax.String(), "guarantee-months": strconv.Itoa(int(now.Terms.GuaranteeMonths)),
		"expiry": string(g.context().Date.AddMonths(int(now.Terms.GroupMonthsMax)))}}
}

// agrees adds what every agreement of the scheme says: to whom the members
// guarantee, under which terms, jointly and severally, with recourse to one another.
func (f *form) agrees(c *group.FormGroup) {
	s := f.ground.scheme()
	law, err := group.LawOn(f.ground.context().Date)
	f.fail("expiry", err)
	if s == nil {
		return
	}
	a := &c.Agreement
	a.Lenders, a.Terms, a.Form, a.MutualRecourse, a.Shares = s.Lenders, s.Version, law.Form, true, group.EqualShares
	if slices.ContainsFunc(a.Members, func(m group.Share) bool { return m.PartsPerMillion != 0 }) {
		a.Shares = group.AgreedShares
	}
}

// livingActs are about a group that stands.
func livingActs(household Field) []Act {
	members := func(g *ground, id tape.ID, but tape.AccountID) []Signer {
		found := g.group(id)
		if found == nil {
			return nil
		}
		var households []tape.AccountID
		for _, m := range found.Living() {
			if m.Household != but {
				households = append(households, m.Household)
			}
		}
		return g.personOf(households...)
	}
	return []Act{
		plain("exit", "Group:Exit", "group", []Field{household, kind("tail", Mark)}, func(g *ground, c group.Exit) []Signer { return g.personOf(c.Household) }).of(Household).to(servers),
		plain("expel", "Group:Expel", "group", []Field{household, kind("assume", Mark)}, func(g *ground, c group.Expel) []Signer { return members(g, c.Group, c.Household) }).of(Household).to(servers),
		plain("wind-down", "Group:WindDown", "group", []Field{choice("reason", "wind-down-reason.", group.ExpiredTerm, group.BelowMinimum, group.Vote).need()}, func(g *ground, c group.WindDown) []Signer {
			if c.Reason != group.Vote {
				return nil
			}
			return members(g, c.Group, "")
		}).of(Cooperative, Lender).to(servers),
		plain[group.Freeze]("freeze", "Group:Freeze", "group", nil, nil).of(Cooperative, Lender).to(deciders),
		plain[group.Cure]("cure", "Group:Cure", "group", nil, nil).of(Cooperative, Lender).to(deciders),
		plain[group.CloseGroup]("close-group", "Group:CloseGroup", "group", nil, nil).of(Cooperative, Lender).to(deciders),
	}
}
