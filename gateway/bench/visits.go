package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Campaign is the page of a campaign with a whole statement behind it, as the
// charity's gateway answers over loopback, and the traces of its gifts.
type Campaign struct {
	Gifts      int `json:"gifts"`
	Households int `json:"households"`
	// Alone, one request after the other; Together, eight at once; Fresh, each
	// right after a block that brought something. Both languages by turns.
	Alone    Latency `json:"alone"`
	Together Latency `json:"together"`
	Fresh    Latency `json:"fresh"`
	// Written, alone and eight at once, are the same page by an address that is
	// written anew for each request: what it costs where nothing is kept.
	Written         Latency `json:"written"`
	WrittenTogether Latency `json:"writtenTogether"`
	// Live is what the same server needs to say that it lives, alone and eight at once.
	Live         Latency `json:"live"`
	LiveTogether Latency `json:"liveTogether"`
	Bytes        int     `json:"bytes"`
	Trace        Trace   `json:"trace"`
}

const (
	// campaignHouseholds are paid before the campaign's page is looked at.
	campaignHouseholds = 200
	visitorsMost       = 8
	freshVisits        = 20
	// goalMost is the goal of an invented plan, in minor units: more than is ever given.
	goalMost = 1_000_000_000_000
)

// languages are those of the pages.
var languages = []string{"en", "zh-CN"}

// visits asks for the campaign's page.
func (l *lab) visits(ctx context.Context) error {
	if l.options.Visits == 0 || l.collected.gateway == nil {
		return nil
	}
	c := l.collected
	page := Campaign{}
	if l.options.SpendMost > 0 { // money in a currency without a threshold is not spent
		page.Households = campaignHouseholds
		if err := c.paysOut(ctx); err != nil {
			return err
		}
	}
	l.report("%d visits of the campaign's page, in both languages, one by one and %d at once", l.options.Visits, visitorsMost)
	l.result.Campaign = &page
	var err error
	paths := make([]string, len(languages))
	for i, language := range languages {
		paths[i] = "/" + language + "/campaigns/" + string(c.account)
	}
	anew := []string{paths[0] + "?anew", paths[1] + "?anew"}
	for _, path := range append(paths, anew...) { // the first adds up what 200,000 gifts brought
		if page.Bytes, err = c.visit(ctx, path); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		into     *Latency
		visitors int
		paths    []string
	}{{&page.Live, 1, []string{"/livez"}}, {&page.Alone, 1, paths}, {&page.LiveTogether, visitorsMost, []string{"/livez"}}, {&page.Together, visitorsMost, paths},
		{&page.Written, 1, anew}, {&page.WrittenTogether, visitorsMost, anew}} {
		if *part.into, err = c.asks(ctx, part.visitors, l.options.Visits, part.paths); err != nil {
			return err
		}
	}
	page.Fresh, err = c.asksFresh(ctx, paths)
	return err
}

// paysOut orders payouts for households of the campaign.
func (c campaign) paysOut(ctx context.Context) error {
	c.report("a disbursement to %d households of that campaign", campaignHouseholds)
	if err := c.enrols(ctx, 0, campaignHouseholds); err != nil {
		return err
	}
	d, err := c.proposes(ctx, tape.ID(c.run+".page"), 1, campaignHouseholds, c.options.SpendMost/campaignHouseholds)
	if err != nil {
		return err
	}
	if _, _, err := d.pays(ctx); err != nil {
		return err
	}
	return sees(ctx, c.gateway, c.last)
}

// asks makes so many requests, by so many visitors side by side.
func (c campaign) asks(ctx context.Context, visitors, count int, paths []string) (Latency, error) {
	var mutex sync.Mutex
	var took []time.Duration
	work, working := errgroup.WithContext(ctx)
	work.SetLimit(visitors)
	for n := range count {
		work.Go(func() error {
			begun := time.Now()
			_, err := c.visit(working, paths[n%len(paths)])
			mutex.Lock()
			defer mutex.Unlock()
			took = append(took, time.Since(begun))
			return err
		})
	}
	err := work.Wait()
	return latencyOf(took), err
}

// asksFresh asks right after a block that gave the campaign another payee:
// nothing that was added up before can be shown again.
func (c campaign) asksFresh(ctx context.Context, paths []string) (Latency, error) {
	var took []time.Duration
	for n := range freshVisits {
		if err := c.enrols(ctx, campaignHouseholds+n, campaignHouseholds+n+1); err != nil {
			return Latency{}, err
		}
		if err := sees(ctx, c.gateway, c.last); err != nil {
			return Latency{}, err
		}
		begun := time.Now()
		if _, err := c.visit(ctx, paths[n%len(paths)]); err != nil {
			return Latency{}, err
		}
		took = append(took, time.Since(begun))
	}
	return latencyOf(took), nil
}

// visit reads a page to its end and returns its length.
func (c campaign) visit(ctx context.Context, path string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.gateway.URL, "/")+path, nil)
	if err != nil {
		return 0, err
	}
	answer, err := c.gateway.HTTP.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	length, err := io.Copy(io.Discard, answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", path, answer.Status)
	}
	return int(length), err
}

// campaignTraces asks what became of gifts of the campaign: half of them among
// those that the households were paid from.
func (l *lab) campaignTraces(ctx context.Context) error {
	page := l.result.Campaign
	if l.options.Traces == 0 || page == nil {
		return nil
	}
	path, err := l.modelPath()
	if err != nil {
		return err
	}
	model, err := readmodel.Open(ctx, path)
	if err != nil {
		return err
	}
	defer model.Close()
	spent, all, err := l.collected.settled(ctx, model)
	if err != nil {
		return err
	}
	l.report("%d traces of that campaign's gifts", l.options.Traces)
	random := rand.New(rand.NewPCG(3, 4))
	var took []time.Duration
	for n := range l.options.Traces {
		from := all
		if n%2 == 0 {
			from = spent
		}
		p := from[random.IntN(len(from))]
		begun := time.Now()
		trace, err := model.TraceGift(ctx, readmodel.GiftAt{Account: l.collected.account, Page: p.ID, Index: random.IntN(int(p.Count))})
		if err != nil {
			return err
		}
		if n > 0 {
			took = append(took, time.Since(begun))
		}
		page.Trace.Hops = max(page.Trace.Hops, depth(trace.Root)-1)
	}
	for _, p := range all {
		page.Gifts += int(p.Count)
	}
	page.Trace.Latency, page.Trace.Gifts = latencyOf(took), page.Gifts
	return nil
}

// settled are the settled pages of a campaign, and those that were paid from.
func (c campaign) settled(ctx context.Context, model *readmodel.Model) (spent, all []readmodel.GiftPage, err error) {
	window := readmodel.Window{Limit: 1000}
	for {
		list, err := model.Pages(ctx, readmodel.PageFilter{Account: c.account}, window)
		if err != nil {
			return nil, nil, err
		}
		for _, p := range list.Items {
			if p.Span == nil {
				continue
			}
			all = append(all, p)
			if p.Span.Start < c.options.SpendMost/campaignHouseholds*campaignHouseholds {
				spent = append(spent, p)
			}
		}
		if window.After = list.Next; window.After == "" {
			break
		}
	}
	if len(all) == 0 {
		return nil, nil, fmt.Errorf("no gifts of %s are settled", c.account)
	}
	if len(spent) == 0 {
		spent = all[:1]
	}
	return spent, all, nil
}
