package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/statement"
	"github.com/lianbao/lianbao/network"
	"github.com/lianbao/lianbao/network/topology"
)

// TestKilledInTheMiddle imports one statement after another on a real network
// and kills something with signal 9 in the middle of each: a gateway, a peer, a
// chaincode, the leading orderer, the import itself. Whatever it is, the
// statement must end up on the ledger to the unit, nothing twice, and the audit
// of the whole must find nothing.
func TestKilledInTheMiddle(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network")
	}
	s := startSite(t)
	for i, target := range []string{"gateway.charity", "gateway.bank", "peer.charity", "peer.insurer", "chaincode.charity", "leading orderer", "the import"} {
		t.Run(target, func(t *testing.T) {
			file, want := sample(t, 16_000, uint64(i+1))
			result := s.importWhileKilling(t, file, target)
			if result.Gifts != want.Gifts || result.Settled != want.Gifts || result.Unmatched != 0 ||
				result.Total.Units != want.GiftTotal || result.SettledTotal.Units != want.GiftTotal {
				t.Errorf("%d gifts of %s, settled %d of %s, unmatched %d; the file holds %d of %d",
					result.Gifts, result.Total, result.Settled, result.SettledTotal, result.Unmatched, want.Gifts, want.GiftTotal)
			}
		})
	}
	s.waitUntilWhole(t)
	if output, err := s.run("audit"); err != nil {
		t.Errorf("the audit found something: %v\n%s", err, output)
	}
}

// sample writes an invented statement and says what it holds.
func sample(t *testing.T, lines int, seed uint64) (string, statement.Summary) {
	t.Helper()
	path := filepath.Join(t.TempDir(), fmt.Sprintf("statement-%d.csv", seed))
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := statement.Sample(file, lines, seed); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	summary, err := statement.Survey(path, statement.Mapping{})
	if err != nil {
		t.Fatal(err)
	}
	return path, summary
}

// site is a network that a lianbao looks after, as a person would start it.
type site struct {
	program, folder string
}

func startSite(t *testing.T) site {
	t.Helper()
	folder := t.TempDir()
	s := site{program: filepath.Join(folder, "lianbao"), folder: filepath.Join(folder, "network")}
	if output, err := exec.Command("go", "build", "-o", s.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	up := exec.Command(s.program, "up", "--empty", "--dir", s.folder)
	output, err := up.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	up.Stderr = os.Stderr
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = s.run("down")
		_ = up.Wait()
	})
	ready := make(chan string, 1)
	go watch(output, "Ctrl-C stops everything", ready)
	select {
	case <-ready:
	case <-time.After(5 * time.Minute):
		t.Fatal("the network did not come up")
	}
	return s
}

// watch reads until a line holds a text, and on to the end.
func watch(output io.Reader, text string, ready chan<- string) {
	scanner := bufio.NewScanner(output)
	for scanner.Scan() {
		if strings.Contains(scanner.Text(), text) {
			ready <- scanner.Text()
		}
	}
}

func (s site) run(arguments ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	return exec.CommandContext(ctx, s.program, append(arguments, "--dir", s.folder)...).CombinedOutput()
}

// importWhileKilling imports a file, kills the target once a part has gone
// through, and repeats the import as a person would until it succeeds.
func (s site) importWhileKilling(t *testing.T, file, target string) importing.Result {
	t.Helper()
	killed := false
	for try := 0; try < 10; try++ {
		result, err := s.importOnce(t, file, func(self int) {
			if !killed {
				killed = true
				s.kill(t, target, self)
			}
		})
		if err == nil && killed {
			return result
		}
		if err == nil {
			t.Fatalf("the import was over before %s could be killed", target)
		}
		t.Logf("try %d: %v", try+1, err)
		time.Sleep(time.Second)
	}
	t.Fatal("the import does not succeed any more")
	return importing.Result{}
}

// importOnce runs the import in a process of its own and calls middle when the
// first gifts have gone through.
func (s site) importOnce(t *testing.T, file string, middle func(self int)) (importing.Result, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, s.program, "import", "statement", file, "--json", "--dir", s.folder)
	var faults bytes.Buffer
	command.Stderr = &faults
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var last []byte
	var once sync.Once
	scanner := bufio.NewScanner(output)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		last = append(last[:0], scanner.Bytes()...)
		var progress meterLine
		if json.Unmarshal(last, &progress) == nil && progress.Step == "gifts" {
			once.Do(func() { middle(command.Process.Pid) })
		}
	}
	if err := command.Wait(); err != nil {
		return importing.Result{}, fmt.Errorf("%w: %s%s", err, last, faults.Bytes())
	}
	var result importing.Result
	if err := json.Unmarshal(last, &result); err != nil {
		t.Fatalf("%v: %s", err, last)
	}
	return result, nil
}

func (s site) kill(t *testing.T, target string, self int) {
	t.Helper()
	pid := self
	if target != "the import" {
		pid = s.process(t, target)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("kill %s: %v", target, err)
	}
}

func (s site) status(t *testing.T) []network.NodeStatus {
	t.Helper()
	n, err := network.Open(s.folder)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return n.Status(ctx)
}

func (s site) process(t *testing.T, name string) int {
	t.Helper()
	if name == "leading orderer" {
		name = s.leader(t)
	}
	for _, node := range s.status(t) {
		if node.Node == name && node.Running {
			return node.PID
		}
	}
	t.Fatalf("%s does not run", name)
	return 0
}

var leaderID = regexp.MustCompile(`(?m)^consensus_BFT_leader_id\{[^}]*\} (\d+)`)

// leader asks the orderers who leads: consenters count from 1, in the order of the topology.
func (s site) leader(t *testing.T) string {
	t.Helper()
	n, err := network.Open(s.folder)
	if err != nil {
		t.Fatal(err)
	}
	var orderers []string
	leader := 0
	for _, o := range n.Topology().Organisations {
		for _, node := range o.Nodes {
			if node.Role != topology.Orderer {
				continue
			}
			orderers = append(orderers, node.Name)
			response, err := http.Get("http://" + node.OperationsAddress() + "/metrics")
			if err != nil {
				continue
			}
			body, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if found := leaderID.FindSubmatch(body); found != nil {
				leader, _ = strconv.Atoi(string(found[1]))
			}
		}
	}
	if leader < 1 || leader > len(orderers) {
		t.Fatalf("orderer %d of %v leads", leader, orderers)
	}
	t.Logf("%s leads", orderers[leader-1])
	return orderers[leader-1]
}

// waitUntilWhole returns when every node runs and all peers have one height.
func (s site) waitUntilWhole(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Second) {
		heights, whole := map[uint64]bool{}, true
		for _, node := range s.status(t) {
			whole = whole && node.Running
			if node.Role == topology.Peer && node.Height != nil {
				heights[*node.Height] = true
			}
		}
		if whole && len(heights) == 1 {
			return
		}
	}
	t.Error("the network did not become whole again")
}
