package lifecycle

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"time"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/network/topology"
)

// participation is the admin side of one orderer: its channel participation API.
type participation struct {
	client *http.Client
	url    string
}

func (s Site) participation(o topology.Organisation, n topology.Node) (participation, error) {
	id := s.Identity(o.Name)
	roots, err := id.RootPool()
	if err != nil {
		return participation{}, err
	}
	dialer, err := id.Dialer().TLS()
	if err != nil {
		return participation{}, err
	}
	return participation{
		url: "https://" + n.AdminAddress() + "/participation/v1/channels",
		client: &http.Client{
			Timeout: 10 * time.Second,
			Transport: &http.Transport{TLSClientConfig: &tls.Config{
				RootCAs: roots, Certificates: []tls.Certificate{dialer}, MinVersion: tls.VersionTLS12,
			}},
		},
	}, nil
}

func (p participation) close() { p.client.CloseIdleConnections() }

// channelState is what an orderer says of a channel.
type channelState struct {
	Status string `json:"status"`
	Height uint64 `json:"height"`
}

// state asks for a channel; found is false when the orderer has not joined it.
func (p participation) state(ctx context.Context, channel string) (state channelState, found bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/"+channel, nil)
	if err != nil {
		return channelState{}, false, err
	}
	status, body, err := p.do(request)
	switch {
	case err != nil:
		return channelState{}, false, err
	case status == http.StatusNotFound:
		return channelState{}, false, nil
	case status != http.StatusOK:
		return channelState{}, false, fmt.Errorf("the orderer answers %d: %s", status, body)
	}
	return state, true, json.Unmarshal(body, &state)
}

// join makes the orderer serve the channel; it is content when it does already.
func (p participation) join(ctx context.Context, channel string, genesis *cb.Block) error {
	if _, joined, err := p.state(ctx, channel); err != nil || joined {
		return err
	}
	data, err := proto.Marshal(genesis)
	if err != nil {
		return err
	}
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	part, err := parts.CreateFormFile("config-block", "config.block")
	if err != nil {
		return err
	}
	if _, err := part.Write(data); err != nil {
		return err
	}
	if err := parts.Close(); err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, &form)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", parts.FormDataContentType())
	status, body, err := p.do(request)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("the orderer refuses to join (%d): %s", status, body)
	}
	return err
}

// answerBytesMax bounds what is read of an answer.
const answerBytesMax = 1 << 20

func (p participation) do(request *http.Request) (status int, body []byte, err error) {
	response, err := p.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, answerBytesMax))
	return response.StatusCode, bytes.TrimSpace(body), err
}

// JoinOrderer joins an orderer that answers to the channel.
func (s Site) JoinOrderer(ctx context.Context, o topology.Organisation, n topology.Node, genesis *cb.Block) error {
	admin, err := s.participation(o, n)
	if err != nil {
		return err
	}
	defer admin.close()
	if err := admin.join(ctx, s.Topology.Channel, genesis); err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	return nil
}

// OrdererHeight is how many blocks an orderer has.
func (s Site) OrdererHeight(ctx context.Context, o topology.Organisation, n topology.Node) (uint64, error) {
	admin, err := s.participation(o, n)
	if err != nil {
		return 0, err
	}
	defer admin.close()
	state, joined, err := admin.state(ctx, s.Topology.Channel)
	if err == nil && !joined {
		err = fmt.Errorf("%s has not joined the channel %s", n.Name, s.Topology.Channel)
	}
	return state.Height, err
}
