package network

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/lianbao/lianbao/network/program"
	"github.com/lianbao/lianbao/network/topology"
)

// Finding is what the doctor says of one thing.
type Finding struct {
	Name   string `json:"name"`
	Sound  bool   `json:"sound"`
	Detail string `json:"detail"`
	// Mend says what to do; empty where nothing is wrong.
	Mend string `json:"mend,omitempty"`
}

// Doctor looks for what would keep a network in this folder from starting. The
// folder need not hold one yet.
func Doctor(ctx context.Context, folder string) []Finding {
	return []Finding{
		compiler(ctx),
		sources(),
		addresses(),
		space("disk", existing(folder)),
		cacheFolder(),
		openFiles(),
		ports(folder),
	}
}

func sound(name, detail string, args ...any) Finding {
	return Finding{Name: name, Sound: true, Detail: fmt.Sprintf(detail, args...)}
}

func ill(name, mend, detail string, args ...any) Finding {
	return Finding{Name: name, Detail: fmt.Sprintf(detail, args...), Mend: mend}
}

func compiler(ctx context.Context) Finding {
	out, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output()
	if err != nil {
		return ill("go", "install Go 1.26 or later from https://go.dev/dl", "the go command was not found")
	}
	version := strings.TrimPrefix(strings.TrimSpace(string(out)), "go")
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err == nil && (major < 1 || major == 1 && minor < 26) {
		return ill("go", "install Go 1.26 or later from https://go.dev/dl", "version %s is too old", version)
	}
	return sound("go", "version %s, %s/%s", version, runtime.GOOS, runtime.GOARCH)
}

func sources() Finding {
	if program.FabricCached() {
		return sound("programs", "Fabric %s is built", program.FabricRelease)
	}
	if _, err := program.FindSource(); err != nil {
		return ill("programs", "change into the folder of Lianbao's sources, or name it in "+program.SourceVariable, "%v", err)
	}
	return sound("programs", "Fabric %s will be built by the first up, in one to four minutes", program.FabricRelease)
}

// addresses: a peer takes the first address that is not loopback for its own
// name and ends when there is none, although it never uses it here.
func addresses() Finding {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return ill("addresses", "see that the network interfaces can be listed", "%v", err)
	}
	for _, address := range all {
		if ip, ok := address.(*net.IPNet); ok && !ip.IP.IsLoopback() && ip.IP.To4() != nil {
			return sound("addresses", "%s", ip.IP)
		}
	}
	return ill("addresses", "connect to a network, or as root: ip addr add 10.9.9.9/32 dev lo",
		"this machine has no IPv4 address but loopback, and Fabric's peer does not start on such a machine")
}

// spaceMin is what the programs, their compilation and a first ledger need.
const spaceMin = 3 << 30

func space(name, folder string) Finding {
	var volume syscall.Statfs_t
	if err := syscall.Statfs(folder, &volume); err != nil {
		return ill(name, "choose a folder that can be read with --dir", "%s: %v", folder, err)
	}
	free := volume.Bavail * uint64(volume.Bsize)
	if free < spaceMin {
		return ill(name, "free some space, or choose another folder with --dir", "%.1f GB are free in %s; 3 are needed", float64(free)/1e9, folder)
	}
	return sound(name, "%.0f GB are free in %s", float64(free)/1e9, folder)
}

// existing is the nearest folder above that is there.
func existing(folder string) string {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "."
	}
	for {
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			return folder
		}
		if above := filepath.Dir(folder); above != folder {
			folder = above
			continue
		}
		return folder
	}
}

func cacheFolder() Finding {
	cache, err := program.Cache()
	if err == nil {
		err = os.MkdirAll(cache, 0o755)
	}
	if err == nil {
		var trial *os.File
		if trial, err = os.CreateTemp(cache, ".trial-"); err == nil {
			_ = trial.Close()
			err = os.Remove(trial.Name())
		}
	}
	if err != nil {
		return ill("cache", "set XDG_CACHE_HOME or HOME to a folder that can be written", "%v", err)
	}
	return sound("cache", "%s", cache)
}

// filesMin is more than a peer has open with ten thousand blocks.
const filesMin = 1024

func openFiles() Finding {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return ill("open files", "see ulimit -n", "%v", err)
	}
	if limit.Max < filesMin {
		return ill("open files", "raise the limit: ulimit -n 4096", "a process may open %d files; %d are needed", limit.Max, filesMin)
	}
	return sound("open files", "%d a process", limit.Max)
}

// ports looks at those that a network in the folder keeps, while it is stopped.
func ports(folder string) Finding {
	n, err := Open(folder)
	if err != nil {
		for i := range 5 {
			if !isFree(topology.PagesPort + i) {
				return sound("ports", "%d is used; the pages will get other ports", topology.PagesPort+i)
			}
		}
		return sound("ports", "%d to %d are free for the pages", topology.PagesPort, topology.PagesPort+4)
	}
	var busy []string
	for _, node := range n.site.Topology.Nodes() {
		if n.table.Runs(node.Name) {
			continue
		}
		for _, port := range node.Ports.List() {
			if !isFree(port) {
				busy = append(busy, fmt.Sprintf("%d (%s)", port, node.Name))
			}
		}
	}
	if len(busy) > 0 {
		return ill("ports", "end the programs that use them, or take other ports with lianbao down and up",
			"used by other programs: %s", strings.Join(busy, ", "))
	}
	return sound("ports", "those of this network are its own or free")
}
