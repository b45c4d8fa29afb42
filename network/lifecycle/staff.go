package lifecycle

import (
	"path/filepath"

	"github.com/lianbao/lianbao/network/topology"
)

// Login is who may log in to a gateway's pages.
type Login struct {
	Origin  string        `json:"origin"`
	Issuers []LoginIssuer `json:"issuers"`
}

// LoginIssuer vouches for staff.
type LoginIssuer struct {
	Name     string        `json:"name"`
	Title    string        `json:"title"`
	Issuer   string        `json:"issuer"`
	ClientID string        `json:"clientId"`
	Members  []LoginMember `json:"members"`
}

// LoginMember is one of the staff.
type LoginMember struct {
	Subject string   `json:"subject"`
	Person  string   `json:"person"`
	Roles   []string `json:"roles"`
}

// Demonstration offers invented staff for choosing.
type Demonstration struct {
	Issuer DemonstrationIssuer `json:"issuer"`
	// Keys is the folder of their keys.
	Keys string `json:"keys"`
}

// DemonstrationIssuer is a provider at which anybody may be any of its people.
type DemonstrationIssuer struct {
	Issuer    string           `json:"issuer"`
	ClientID  string           `json:"clientId"`
	Redirects []string         `json:"redirects"`
	People    []InventedPerson `json:"people"`
}

// InventedPerson stands for nobody.
type InventedPerson struct {
	Subject string `json:"subject"`
	Name    string `json:"name"`
}

const (
	demonstration = "demonstration"
	demoClient    = "lianbao-gateway"
)

// duties of the invented staff: one makes, one checks.
var duties = []string{"maker", "checker"}

// staff are the invented people of an organisation, as whom anybody may log in.
func (s Site) staff(o topology.Organisation) (*Login, *Demonstration) {
	origin := s.GatewayURL(o)
	issuer := origin + "/" + demonstration
	login := LoginIssuer{Name: demonstration, Title: "Demonstration: invented staff of " + o.Name + " / 演示：虚构工作人员", Issuer: issuer, ClientID: demoClient}
	demo := DemonstrationIssuer{Issuer: issuer, ClientID: demoClient, Redirects: []string{origin + "/login/issuer/" + demonstration + "/callback"}}
	for _, duty := range duties {
		person := "invented-" + o.Name + "-" + duty
		login.Members = append(login.Members, LoginMember{Subject: person, Person: person, Roles: []string{duty}})
		demo.People = append(demo.People, InventedPerson{Subject: person, Name: person})
	}
	return &Login{Origin: origin, Issuers: []LoginIssuer{login}}, &Demonstration{Issuer: demo, Keys: filepath.Join(s.Organisation(o.Name), "keys")}
}
