// Package words is the portal's languages: what pages say, and how dates and
// amounts are written. A test holds the catalogues together: each language has
// every key that is used, no other, and the same placeholders.
package words

import (
	"embed"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/party"
)

//go:embed *.json
var catalogues embed.FS

// domains are the catalogues of a language: one of everything, one of a cooperative's loans, one of the bookkeeper's pages.
var domains = []string{"", "cooperative.", "bookkeeping."}

// Tags are the languages, the default first, as they stand in addresses.
var Tags = []string{"en", "zh-CN"}

// Language says things in one language.
type Language struct {
	Tag       string
	localizer *i18n.Localizer
	known     map[string]bool
}

// Languages reads the catalogues.
func Languages() (map[string]*Language, error) {
	bundle := i18n.NewBundle(language.English)
	all := map[string]*Language{}
	for _, tag := range Tags {
		l := &Language{Tag: tag, localizer: i18n.NewLocalizer(bundle, tag), known: map[string]bool{}}
		for _, domain := range domains {
			file, err := bundle.LoadMessageFileFS(catalogues, domain+tag+".json")
			if err != nil {
				return nil, err
			}
			for _, message := range file.Messages {
				l.known[message.ID] = true
			}
		}
		all[tag] = l
	}
	return all, nil
}

// Prefer chooses a language by an Accept-Language header.
func Prefer(header string) string {
	matcher := language.NewMatcher([]language.Tag{language.English, language.SimplifiedChinese})
	// A header that cannot be read prefers nothing, and the default is taken.
	wanted, _, _ := language.ParseAcceptLanguage(header)
	_, index, _ := matcher.Match(wanted...)
	return Tags[index]
}

// Say says a message with its placeholders, given as name, value, name, value.
// The message and its values are plain text.
func (l *Language) Say(key string, values ...any) (string, error) {
	data, err := pairs(key, values, func(value any) any { return value })
	if err != nil {
		return "", err
	}
	return l.localizer.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data})
}

// Mark says a message whose values may be pieces of a page, such as links;
// everything else is escaped.
func (l *Language) Mark(key string, values ...any) (template.HTML, error) {
	data, err := pairs(key, values, func(value any) any {
		if piece, safe := value.(template.HTML); safe {
			return string(piece)
		}
		return html.EscapeString(fmt.Sprint(value))
	})
	if err != nil {
		return "", err
	}
	said, err := l.localizer.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data})
	return template.HTML(said), err
}

// Number says a message about a number of things; {{.Count}} is the number as people write it.
func (l *Language) Number(key string, count int, values ...any) (string, error) {
	data, err := pairs(key, values, func(value any) any { return value })
	if err != nil {
		return "", err
	}
	data["Count"] = Count(count)
	return l.localizer.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data, PluralCount: count})
}

// Word says a word from a family of keys, such as the name of a state. A value
// that has no word yet is shown as it is: the ledger may know more than this program.
func (l *Language) Word(family string, value any) (string, error) {
	text := fmt.Sprint(value)
	if !l.known[family+text] {
		return text, nil
	}
	return l.Say(family + text)
}

func pairs(key string, values []any, take func(any) any) (map[string]any, error) {
	if len(values)%2 != 0 {
		return nil, fmt.Errorf("message %s has a placeholder without a value", key)
	}
	data := map[string]any{}
	for i := 0; i < len(values); i += 2 {
		name, is := values[i].(string)
		if !is {
			return nil, fmt.Errorf("message %s: %v is not a placeholder's name", key, values[i])
		}
		data[name] = take(values[i+1])
	}
	return data, nil
}

// Catalogue is a language's files as they are, for the test that compares them.
func Catalogue(tag string) (map[string]any, error) {
	all := map[string]any{}
	for _, domain := range domains {
		data, err := catalogues.ReadFile(domain + tag + ".json")
		if err != nil {
			return nil, err
		}
		var one map[string]any
		if err := json.Unmarshal(data, &one); err != nil {
			return nil, err
		}
		for key, message := range one {
			if all[key] != nil {
				return nil, fmt.Errorf("%s stands in two catalogues", key)
			}
			all[key] = message
		}
	}
	return all, nil
}

// Keys of families whose words are chosen by a value, with all values that the
// pages know. The test demands a word for each, and no other word in the family.
var Keys = map[string][]string{
	"kind.": strings.Fields("open hold capture execute release expire reclaim refund return charge-back open-job run-chunk close-job memo receive settle " +
		"file-processor match receive-unidentified spend identify file-statement file-lines found join register witness rotate suspend revoke guard consent withdraw-consent propose vote " +
		"accept-filing amend-campaign appoint-agent approve call-back-payee carry cite close-campaign confirm enact enrol give-goods invite list order pay " +
		"publish name-publisher receive-goods record-pledge reject replace-person restore set-flag settle-pledge correct withdraw declare " +
		"agree deliver merge process bag ship arrive sell pledge release-pledge correct-delivery correct-step correct-sale " +
		"open-lending offer-product withdraw-product apply-for-loan guarantee-loan decide-loan withdraw-loan contract-loan draw-loan disburse-loan book-tranche order-supplies confirm-delivery repay-loan take-back-repayment return-part choose-overpayment pay-overpayment give-notice default-loan declare-stay restructure-loan take-over-loan write-off-loan add-costs make-call respread-call declare-unable release-guarantor withdraw-call reimburse-call contribute-call attest retract assess dispute-input open-settlement settle-households close-settlement abandon-settlement pay-again choose-prepayment " +
		"open-pool-account open-pool amend-pool accept-pool freeze-quarter admit-pool-loan submit-pool-claim verify-pool-claim review-pool-claim approve-pool-claim return-pool-claim reject-pool-claim pay-pool-claim share-recovery close-pool-claim close-month"),
	"figure.":        strings.Fields("raised settled ordered paid confirmed pending free passed returned given-back unidentified disputed spent held received fee declared granted recovered remitted set-apart paid-or-passed management"),
	"flow.":          strings.Fields("gifts came-back campaign free ordered given-back households paid more-accounts more-payees fees passed"),
	"duty.":          strings.Fields("first-report three-monthly five-daily final-report annual-report leftover evaluation filing other"),
	"article.":       articles(),
	"ratio.":         strings.Fields("spending management fundraising"),
	"gift-state.":    strings.Fields("pending unmatched settled withdrawn"),
	"payout-state.":  strings.Fields("ordered part-paid paid returned released taken-back"),
	"confirmation.":  strings.Fields("confirmed disputed"),
	"state.":         strings.Fields("pending unmatched withdrawn laid free ordered released in-job waiting paid refunded charged-back shared more fee disputed"),
	"stage.":         {"0", "1", "2", "3"},
	"give-fault.":    strings.Fields("amount name attempt account limit other"),
	"receipt-fault.": strings.Fields("unknown limit sure pdf"),
	"own-gift.":      strings.Fields("waits unidentified settled received void"),
	"no-paper.":      strings.Fields("currency void other"),
	"reversal.":      strings.Fields("refund chargeback identified corrected returned"),
	"rule.":          strings.Fields("fifo pooled"),
	"duty-of.":       strings.Fields("staff agent member"),
	"custody.":       strings.Fields("own card agent-held gateway-held"),
	"evidence.":      strings.Fields("statement processor entry self-declared"),
	"verdict.": strings.Fields("VALID MVCC_READ_CONFLICT PHANTOM_READ_CONFLICT ENDORSEMENT_POLICY_FAILURE DUPLICATE_TXID BAD_PAYLOAD " +
		"BAD_CREATOR_SIGNATURE INVALID_ENDORSER_TRANSACTION EXPIRED_CHAINCODE INVALID_OTHER_REASON"),
	"job-state.":          strings.Fields("open closed abandoned"),
	"side.":               strings.Fields("credit debit"),
	"role.":               strings.Fields("gateway auditor admin"),
	"hit.":                strings.Fields("gift entry account campaign transaction block payout"),
	"problem.":            strings.Fields("not-found invalid method unavailable"),
	"give-refused.":       strings.Fields("draft early over closed grant"),
	"recount.":            strings.Fields("equal differs"),
	"disbursement-state.": strings.Fields("proposed rejected ordered closed abandoned"),
	"reject-reason.":      strings.Fields("withdrawn wrong-payee wrong-amount evidence budget other"),
	"document-kind.":      strings.Fields("invoice photo delivery-note agreement list publication other"),
	"payee-kind.":         strings.Fields("household supplier staff"),
	"flag-reason.":        strings.Fields("device payee-account person agent call-back complaint cleared"),
	"replace-reason.":     fund.ReplaceReasons(),
	"dispute.":            strings.Fields("not-arrived less-arrived late not-asked-for taken-from-me"),
	"work.":               strings.Fields("file decide wait other list order pay bank dispute settle unclaimed flag suspect publish erase witness orders debits credits reclaim restore receivable"),
	"purpose.":            party.Purposes(),
	"about.":              party.Abouts(),
	"key-state.":          strings.Fields("waits waiting in-force suspended replaced"),
	"staff-role.":         strings.Fields("maker checker agent auditor admin"),
	"refused.":            strings.Fields("invalid forbidden not-found exists conflict insufficient wrong-state expired early unsupported busy failed"),
	"callback.":           strings.Fields("confirmed not-reached denied"),
	"organisation-kind.":  fund.OrganisationKinds(),
	"iati-type.":          fund.PublisherTypes(),
	"language.":           fund.Languages(),
	"personal-class.":     strings.Fields("donor household payee-bank-account guardian contact"),
	"personal-field.":     strings.Fields("account address bank birthDate branch email idNumber name phone relation village"),
	"purge-reason.":       strings.Fields("purpose-achieved retention-ended consent-withdrawn requested unlawful mistake"),
	"origin.":             strings.Fields("gift pool outside"),
	"equality.":           strings.Fields("settled tape incoming outgoing left page-settled page-paid"),
	"export.":             strings.Fields("iati.xml 360giving.json"),
	"table.": strings.Fields("gifts pages settlements transfers-in orders jobs postings entries statements lines " +
		"budget disbursements approvals payees confirmations publications pledges goods citations partners agents"),
	"part.":                strings.Fields("proceeds costs repaid overdue window recourse pool prepayment paid-out waiting standard special-mention substandard doubtful loss"),
	"sum.":                 strings.Fields("outstanding overdue par30 par90 nonperforming written-off balance promised free paidby recovered"),
	"class.":               strings.Fields("standard special-mention substandard doubtful loss"),
	"column.":              strings.Fields("class loans principal share group groups state households owed days until loan purpose left overdue next instalment instalments scheme cooperative lenders outstanding due amount sale date proceeds net paidout what to household grams portion window recourse pool early asked paid back part indicator value why points source signed guaranteed number interest topay lot tonne by spread borne period quarter gross npl writtenoff ratio gets upto consent claims eligible compensation claim lender recovered backtopool agent organisation carried station count for custody account opening debit credit closing month entries entry kind counts booked other meets from figure closed found"),
	"month-state.":         strings.Fields("runs open closed"),
	"closed-figure.":       strings.Fields("sheet entries late totals previous"),
	"adjustment.":          strings.Fields("late payment"),
	"letter-to.":           strings.Fields("borrower guarantor cooperative"),
	"statement-line.":      strings.Fields("lent paid charged"),
	"meets-at.":            strings.Fields("payee invoice place"),
	"group-state.":         strings.Fields("draft signing review active frozen winding-down closed rejected"),
	"member-state.":        strings.Fields("admitted left deceased"),
	"stage-of.":            strings.Fields("applied referred approved refused withdrawn contracted running overdue defaulted written-off closed"),
	"loan-purpose.":        loan.PurposeWords(),
	"settlement-state.":    strings.Fields("open closed abandoned"),
	"cost.":                strings.Fields("transport storage processing fee tax"),
	"share.":               strings.Fields("repaid overdue window recourse pool prepayment"),
	"rest.":                strings.Fields("ordered part-paid paid returned released taken-back waits nothing"),
	"call-state.":          strings.Fields("asked late met closed unable released"),
	"factor.":              strings.Fields("community stability reputation"),
	"score-code.":          credit.Codes(),
	"indicator.":           strings.Fields("meetings-attended training-completed shared-work agreement-breaches seasons-delivered delivery-kept first-grade sales-trend canopy-index days-past-due loans-repaid own-defaults call-paid herd-kept vaccinated mortality herd-insured pasture-index"),
	"group-cause.":         strings.Fields("overdue below-minimum expired vote ineligible documents credit withdrawn other"),
	"group-shares.":        strings.Fields("equal agreed"),
	"gone.":                strings.Fields("exited expelled died"),
	"call-of.":             strings.Fields("open met closed"),
	"method.":              strings.Fields("annuity equal-principal flat bullet crop after-sale"),
	"supply.":              strings.Fields("equipment feed fertiliser fuel packaging pesticide processing seed seedling tool transport water"),
	"outcome.":             strings.Fields("approve refer refuse"),
	"decision-reason.":     strings.Fields("score-low over-limit thin-file"),
	"decide-reason.":       loan.DecideReasons(),
	"instalment-state.":    strings.Fields("paid overdue due coming"),
	"payer.":               strings.Fields("household guarantor other"),
	"tranche-to.":          strings.Fields("true false"),
	"order-state.":         strings.Fields("ordered delivered cancelled"),
	"claim-state.":         strings.Fields("submitted verified review approved paid sharing closed returned rejected"),
	"unit.":                strings.Fields("days months seasons"),
	"do.":                  strings.Fields("open-campaign name-publisher close-month amend-campaign accept-filing close-campaign carry invite withdraw-invitation appoint-agent end-agent enrol replace-person raise-flag lift-flag call-back record-pledge keep-pledge cancel-pledge receive-goods give-goods cite abandon-disbursement refund-gift correct-gift identify-gift withdraw-page declare-page execute-payouts return-payout charge-back expire-payout reclaim-payouts restore-payout match-page settle-page receive-unclaimed open-scheme amend-scheme accept-scheme name-supplier relate admit replace-signer member-died leave form-group sign-group endorse approve-group reject-group refill exit expel wind-down freeze cure close-group open-lending offer-product withdraw-product apply-loan guarantee-loan decide-loan contract-loan withdraw-loan draw-loan order-supplies confirm-delivery disburse-loan book-tranche repay-loan restructure-loan write-off-loan add-costs give-notice default-loan declare-stay agree deliver merge process bag ship arrive sell pledge release-pledge correct-delivery correct-step correct-sale open-settlement pay-again choose-prepayment make-call respread-call declare-unable release-guarantor withdraw-call contribute-call reimburse-call"),
	"do-lead.":             strings.Fields("open-campaign name-publisher close-month amend-campaign accept-filing close-campaign carry invite withdraw-invitation appoint-agent end-agent enrol replace-person raise-flag lift-flag call-back record-pledge keep-pledge cancel-pledge receive-goods give-goods cite abandon-disbursement refund-gift correct-gift identify-gift withdraw-page declare-page execute-payouts return-payout charge-back expire-payout reclaim-payouts restore-payout match-page settle-page receive-unclaimed open-scheme amend-scheme accept-scheme name-supplier relate admit replace-signer member-died leave form-group sign-group endorse approve-group reject-group refill exit expel wind-down freeze cure close-group open-lending offer-product withdraw-product apply-loan guarantee-loan decide-loan contract-loan withdraw-loan draw-loan order-supplies confirm-delivery disburse-loan book-tranche repay-loan restructure-loan write-off-loan add-costs give-notice default-loan declare-stay agree deliver merge process bag ship arrive sell pledge release-pledge correct-delivery correct-step correct-sale open-settlement pay-again choose-prepayment make-call respread-call declare-unable release-guarantor withdraw-call contribute-call reimburse-call"),
	"act-family.":          strings.Fields("group loan harvest settlement recourse"),
	"promise-who.":         strings.Fields("sign-group guarantee-loan confirm-delivery restructure-loan contribute-call"),
	"promise-most.":        strings.Fields("sign-group guarantee-loan apply-loan contract-loan order-supplies confirm-delivery restructure-loan choose-prepayment contribute-call draw-loan reimburse-call"),
	"promise-until.":       strings.Fields("sign-group guarantee-loan restructure-loan"),
	"say-no.":              strings.Fields("sign-group exit leave apply-loan guarantee-loan contract-loan withdraw-loan order-supplies confirm-delivery restructure-loan choose-prepayment contribute-call draw-loan reimburse-call"),
	"promise.":             strings.Fields("sign-group exit leave apply-loan guarantee-loan contract-loan withdraw-loan order-supplies confirm-delivery restructure-loan choose-prepayment contribute-call draw-loan reimburse-call"),
	"correct-reason.":      strings.Fields("wrong-reference booked-wrongly wrongly-identified did_not_occur incorrect_data"),
	"withdraw-reason.":     strings.Fields("not-paid entered-twice entered-wrongly"),
	"ask.":                 strings.Fields("account month basis parent custodian own-funds title purpose beneficiaries area sector from to goal lines id kind title-en title-zh amount management leftover regulator emergency donors number partner organisation person payees-max agent payees payee bank-account device reason outcome due pledge page gift item quantity unit goods receiver document for disbursement home why payout giver-name day proof giver-code delivery description counted-in worth worth-by worth-number bank-line payouts hold unclaimed identifier name law-kind iati-type language prefix license source scheme lenders industry size-min size-max months-max guarantee-months member-max member-share deposit living-floor living-floor-share originator-share notice-days default-days cure-days cooling-days exclusion-months refill-days window-days pooling-days stay-days-max sequence supplier categories controllers withdraw household other fingerprint adult capacity group members share group-max expiry text-en text-zh tail assume lending currency attribution product lender least most purposes supplies term-days offer-days tranches tolerance-units method rate day-count rounding instalments every-months every-weeks every-days difference grace-principal grace-interest crop-principal crop-interest sale-days revolving late-rate late-grace-days late-on first-due due-dates loan advances date category order invoice place cancel take-back tranche expires by term-end evidence instalment days disaster commodity forms form grades stores store keeper deductions costs processes process from-form to-form yield-min yield-max grade gross tare value-per-tonne cover deducted deduction grams moisture harvested lots outputs lot loss second bags sscc buyer price-per-tonne proceeds sale-costs cost invoice-document free rest step sale households guarantors guarantor call lift payer payment by-payment"),
	"ask-help.":            strings.Fields("account month parent custodian own-funds area sector goal management donors leftover organisation person agent item unit document for bank-line payouts unclaimed identifier name law-kind iati-type language prefix license source fingerprint notice-days household text-en advances revolving crop-principal value-per-tonne cover term-end scheme lending buyer households guarantors call payment second sscc keeper invoice place"),
	"worth-by.":            strings.Fields("invoice appraisal"),
	"fit.":                 strings.Fields("page payout paid"),
	"back.":                strings.Fields("refund chargeback identified returned corrected"),
	"attribution.":         strings.Fields("fifo pooled"),
	"citation-kind.":       strings.Fields("bankruptcy enforcement-ended death missing other"),
	"day-count.":           strings.Fields("ACT/365F ACT/360 30/360 30E/360"),
	"difference.":          strings.Fields("last first level cumulative split adjust"),
	"late-on.":             strings.Fields("principal instalment"),
	"reject-group-reason.": strings.Fields("ineligible documents credit withdrawn other"),
	"rounding.":            strings.Fields("half-even half-up half-down up down"),
	"signer-reason.":       strings.Fields("lost-key other-adult death mistake"),
	"stay-kind.":           strings.Fields("drought flood frost hail disease price-collapse"),
	"wind-down-reason.":    strings.Fields("expired below-minimum vote"),
	"basis.":               strings.Fields("filing agreement grant earmark"),
	"line-kind.":           strings.Fields("programme management fundraising"),
	"campaign-state.":      strings.Fields("draft active closed"),
	"pledge-state.":        strings.Fields("open kept cancelled"),
}

// articles are the places in the law that its versions name, as they write them.
func articles() []string {
	laws, err := fund.Laws()
	if err != nil {
		return nil // a test demands that the family has values
	}
	var all []string
	for _, law := range laws {
		for _, duty := range law.Duties {
			all = append(all, duty.Article)
		}
		for _, ratio := range law.Ratios {
			all = append(all, ratio.Article)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
