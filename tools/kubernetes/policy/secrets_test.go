package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What the script prints, as Secrets by name.
func evaluationSecrets(t *testing.T) map[string]object {
	t.Helper()
	command := exec.Command("bash", filepath.Join(root, "helm", "evaluation-secrets"))
	command.Env = append(os.Environ(), "CONTENT_API_CLIENT_SECRET=a", "SALES_WAREHOUSE_CLIENT_SECRET=b",
		"MCP_GATEWAY_CLIENT_SECRET=c", "TEST_CLIENT_ID=d", "TEST_CLIENT_SECRET=e")
	printed, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := parse(printed)
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]object{}
	for _, manifest := range manifests {
		secrets[text(manifest, "metadata", "name")] = at(manifest, "data")
	}
	return secrets
}

func TestAnEvaluationHasEachKeyThatItsPodsRead(t *testing.T) {
	manifests, err := parse([]byte(rendered(t, "minimal")))
	if err != nil {
		t.Fatal(err)
	}
	secrets, seen := evaluationSecrets(t), map[string]bool{}
	for _, manifest := range manifests {
		for secret, keys := range keysRead(podOf(manifest), manifests) {
			for key := range keys {
				seen[secret+"."+key] = true
				if secrets[secret][key] == nil {
					t.Errorf("%s reads %s of %s, which evaluation-secrets does not make", called(manifest), key, secret)
				}
			}
		}
	}
	// Of each kind: named in a ConfigMap, in the environment as a file, and in a script.
	for _, one := range []string{"promptsales-mcp-gateway.confirmation_key", "promptsales-sales-warehouse.client_secret",
		"promptsales-caller-keys.caller_keys", "promptsales-mcp-gateway.rate_limit_password",
		"promptsales-test.client_id", "promptsales-postgres.password"} {
		if !seen[one] {
			t.Errorf("nothing is found to read %s", one)
		}
	}
}

func TestAFileMayHoldAKeyOfAnotherName(t *testing.T) {
	manifests, err := parse([]byte(rendered(t, "production")))
	if err != nil {
		t.Fatal(err)
	}
	for _, manifest := range manifests {
		if called(manifest) == "Deployment/promptsales-sales-warehouse" {
			read := keysRead(podOf(manifest), manifests)["promptsales-sales-warehouse"]
			if len(read) != 2 || !read["read_url"] || !read["audit_key"] {
				t.Errorf("reads %v: expected read_url and audit_key alone", read)
			}
			return
		}
	}
	t.Error("there is no Deployment of sales-warehouse")
}

// As long as the services ask for: MIN_KEY_BYTES in mcp-gateway/src/options.rs and in crates/audit.
func TestSealingKeysAreLongEnough(t *testing.T) {
	secrets := evaluationSecrets(t)
	for _, one := range [][2]string{{"mcp-gateway", "confirmation_key"}, {"mcp-gateway", "audit_key"},
		{"content-api", "audit_key"}, {"sales-warehouse", "audit_key"}} {
		encoded, _ := secrets["promptsales-"+one[0]][one[1]].(string)
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(key) < 32 {
			t.Errorf("%v: %d bytes: expected 32 or more (%v)", one, len(key), err)
		}
	}
}

// The services look a key up by its id, which the gateway makes of the key: crates/auth/src/assertion/key.rs.
func TestTheServicesAreGivenTheGatewaysPublicKey(t *testing.T) {
	secrets := evaluationSecrets(t)
	read := func(secret, key string) []byte {
		encoded, _ := secrets[secret][key].(string)
		decoded, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		return decoded
	}
	block, _ := pem.Decode(read("promptsales-mcp-gateway", "caller_key"))
	if block == nil || block.Type != "PRIVATE KEY" {
		t.Fatal("caller_key is no PKCS #8 in PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	private, isEllipticCurve := parsed.(*ecdsa.PrivateKey)
	if !isEllipticCurve || private.Curve != elliptic.P256() {
		t.Fatalf("%T: expected a key on P-256", parsed)
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	x, y := encode(point[1:33]), encode(point[33:])
	thumbprint := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":%q,"y":%q}`, x, y))
	expected := fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":%q,"x":%q,"y":%q}]}`,
		encode(thumbprint[:]), x, y)
	if published := string(read("promptsales-caller-keys", "caller_keys")); published != expected {
		t.Errorf("%s: expected %s", published, expected)
	}
}

func TestASecretThatIsNotMountedIsFound(t *testing.T) {
	sound := rendered(t, "minimal")
	for _, one := range []struct{ from, to, says string }{
		// Who only answers questions mounts the warehouse's URL alone.
		{"    no_schedule = true", `    promptads_url_file = "/run/secrets/promptsales/promptads_url"`, "/promptads_url, which is not mounted"},
		{"- { name: secrets, mountPath: /run/secrets/promptsales, readOnly: true }", "", "/database_url, which is not mounted"},
	} {
		faults := strings.Join(faultsOf(t, strings.Replace(sound, one.from, one.to, 1)), "\n")
		if !strings.Contains(faults, one.says) {
			t.Errorf("%q for %q: nothing says %q, but %q", one.to, one.from, one.says, faults)
		}
	}
}
