package threesixty

import (
	"encoding/json"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
)

// The names below are the standard's.

type wireHead struct {
	Version   string        `json:"version"`
	Title     string        `json:"title"`
	Issued    string        `json:"issued"`
	Publisher wirePublisher `json:"publisher"`
	License   string        `json:"license,omitempty"`
	AccessURL string        `json:"accessURL,omitempty"`
}

type wirePublisher struct {
	Identifier string `json:"identifier"`
	Name       string `json:"name"`
}

type wireParty struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type wireGrant struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Currency    string `json:"currency"`
	// Amounts are JSON numbers with the digits of the one spelling; no float makes them.
	AmountAwarded         json.Number     `json:"amountAwarded"`
	AmountDisbursed       json.Number     `json:"amountDisbursed,omitempty"`
	AwardDate             string          `json:"awardDate"`
	FundingOrganization   []wireParty     `json:"fundingOrganization"`
	RecipientOrganization []wireParty     `json:"recipientOrganization,omitempty"`
	RecipientIndividual   *wireParty      `json:"recipientIndividual,omitempty"`
	ToIndividualsDetails  *wireIndividual `json:"toIndividualsDetails,omitempty"`
	RegrantType           string          `json:"regrantType,omitempty"`
	GrantProgramme        []wireProgramme `json:"grantProgramme,omitempty"`
	BeneficiaryLocation   []wirePlace     `json:"beneficiaryLocation,omitempty"`
	RelatedActivity       []string        `json:"relatedActivity,omitempty"`
	DateModified          string          `json:"dateModified,omitempty"`
}

type wireIndividual struct {
	PrimaryGrantReason string   `json:"primaryGrantReason,omitempty"`
	GrantPurpose       []string `json:"grantPurpose,omitempty"`
}

type wireProgramme struct {
	Code  string `json:"code,omitempty"`
	Title string `json:"title,omitempty"`
}

type wirePlace struct {
	Name        string `json:"name,omitempty"`
	CountryCode string `json:"countryCode,omitempty"`
}

func (p Package) head() wireHead {
	return wireHead{Version: Version, Title: p.Title, Issued: string(p.Issued), Publisher: wirePublisher{p.Publisher.ID, p.Publisher.Name}, License: p.License, AccessURL: p.Source}
}

func (g Grant) wire() wireGrant {
	one := wireGrant{ID: g.ID, Title: g.Title, Description: g.Description, Currency: string(g.Awarded.Currency), AmountAwarded: digits(g.Awarded),
		AwardDate: string(g.Date), FundingOrganization: []wireParty{{g.Funder.ID, g.Funder.Name}}, RegrantType: g.Regrant, RelatedActivity: g.Related}
	if g.Disbursed != nil {
		one.AmountDisbursed = digits(*g.Disbursed)
	}
	if g.Recipient != nil {
		one.RecipientOrganization = []wireParty{{g.Recipient.ID, g.Recipient.Name}}
	} else {
		one.RecipientIndividual = &wireParty{g.ID + recipientSuffix, RecipientName}
	}
	if g.Individual != nil && (g.Individual.Reason != "" || len(g.Individual.Purposes) > 0) {
		one.ToIndividualsDetails = &wireIndividual{g.Individual.Reason, g.Individual.Purposes}
	}
	if g.Programme != (Programme{}) {
		one.GrantProgramme = []wireProgramme{{g.Programme.Code, g.Programme.Title}}
	}
	if g.Place != (Place{}) {
		one.BeneficiaryLocation = []wirePlace{{g.Place.Name, g.Place.Country}}
	}
	if g.Modified != 0 {
		one.DateModified = g.Modified.String()
	}
	return one
}

func digits(a money.Amount) json.Number {
	number, _, _ := strings.Cut(a.String(), " ")
	return json.Number(number)
}
