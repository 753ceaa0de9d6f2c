package dev.regen.agent.registry;

import static dev.regen.agent.registry.RegistryClient.NOTHING;
import static dev.regen.agent.registry.RegistryClient.sha256;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest.BodyPublishers;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Names, digests, endpoints and methods that are none: each failure in the form of the spec. */
final class RegistryErrorsTest extends OneRegistry {
  private static final String SOME = sha256(new byte[] {1});

  @Test
  void theBaseSaysThatThisIsARegistry() throws Exception {
    for (String base : List.of("/v2/", "/v2")) {
      Answer answer = client.get(base).is(200);
      assertThat(answer.header("Docker-Distribution-API-Version")).isEqualTo("registry/2.0");
      client.head(base).is(200);
    }
  }

  @Test
  void namesOfTheSpecAreTaken() throws Exception {
    for (String name :
        List.of(
            "a",
            "a/b/c/d",
            "a.b_c__d-e---f",
            "0/1",
            "tags/list",
            "blobs/uploads",
            "a/manifests/b",
            "a/referrers",
            "a".repeat(255))) {
      String digest = client.image(name, "v1", "one");
      assertThat(client.head("/v2/" + name + "/manifests/v1").is(200).digest()).isEqualTo(digest);
      assertThat(client.get("/v2/" + name + "/tags/list").is(200).json().string("name"))
          .isEqualTo(name);
    }
  }

  @Test
  void otherNamesAreRefused() throws Exception {
    for (String name :
        List.of(
            "A",
            "a..b",
            "a___b",
            "-a",
            "a-",
            ".a",
            "a/-b",
            "a:b",
            "a@b",
            "ä",
            "a".repeat(256),
            "_catalog")) {
      String path = "/v2/" + name.replace("ä", "%C3%A4");
      client.get(path + "/tags/list").is(400, "NAME_INVALID");
      client.get(path + "/blobs/" + SOME).is(400, "NAME_INVALID");
      client.post(path + "/blobs/uploads/", NOTHING).is(400, "NAME_INVALID");
      client.put(path + "/manifests/v1", NOTHING).is(400, "NAME_INVALID");
    }
  }

  @Test
  void otherDigestsAreRefused() throws Exception {
    for (String digest :
        List.of(
            "sha256:",
            "sha256:abc",
            "sha256:" + "g".repeat(64),
            "sha256:" + "A".repeat(64),
            "sha512:" + "a".repeat(64),
            "md5:" + "a".repeat(32),
            "sha256",
            "latest")) {
      client.get("/v2/a/blobs/" + digest).is(400, "DIGEST_INVALID");
      client.delete("/v2/a/blobs/" + digest).is(400, "DIGEST_INVALID");
      client.head("/v2/a/blobs/" + digest).is(400);
    }
  }

  @Test
  void otherTagsAreRefused() throws Exception {
    client.image("tag", "t".repeat(128), "one");
    client.image("tag", "_", "one");
    for (String tag : List.of("t".repeat(129), "-a", ".a", "a+b", "a%20b", "%C3%A4", "a@b")) {
      client.put("/v2/tag/manifests/" + tag, NOTHING).is(400, "TAG_INVALID");
      assertThat(client.get("/v2/tag/manifests/" + tag).status()).as(tag).isIn(400, 404);
    }
    assertThat(client.get("/v2/tag/tags/list").json().strings("tags")).hasSize(2);
  }

  @Test
  void whatIsNoEndpointIsNotFound() throws Exception {
    for (String path :
        List.of(
            "/",
            "/v1/",
            "/v3/",
            "/v2/a",
            "/v2/a/",
            "/v2/a/tags",
            "/v2/a/tags/list/",
            "/v2/a/manifests/",
            "/v2/a/blobs/",
            "/v2/a/blobs/uploads/x/y",
            "/v2/_catalog/",
            "/v2/a/tags/lists",
            "/v2/" + "a".repeat(2000) + "/tags/list",
            "/token/x")) {
      client.get(path).is(404, "UNSUPPORTED");
      client.post(path, NOTHING).is(404, "UNSUPPORTED");
      client.head(path).is(404);
    }
  }

  @Test
  void aMethodThatIsNotDoneHereNamesThoseThatAre() throws Exception {
    String upload = client.begin("method");
    for (Map.Entry<String, List<String>> one :
        Map.of(
                "/v2/",
                List.of("POST", "PUT", "DELETE", "PATCH", "OPTIONS"),
                "/v2/_catalog",
                List.of("POST", "DELETE"),
                "/v2/method/tags/list",
                List.of("POST", "PUT", "DELETE"),
                "/v2/method/referrers/" + SOME,
                List.of("PUT", "DELETE"),
                "/v2/method/manifests/v1",
                List.of("POST", "PATCH", "OPTIONS"),
                "/v2/method/blobs/" + SOME,
                List.of("POST", "PUT", "PATCH"),
                "/v2/method/blobs/uploads/",
                List.of("GET", "PUT", "DELETE", "PATCH"),
                upload,
                List.of("POST", "OPTIONS"))
            .entrySet()) {
      for (String method : one.getValue()) {
        Answer refused = client.send(method, one.getKey(), BodyPublishers.noBody());
        refused.is(405, "UNSUPPORTED");
        assertThat(refused.header("Allow")).as("%s", refused).matches("[A-Z]+(, [A-Z]+)*");
        assertThat(refused.header("Allow")).as("%s", refused).doesNotContain(method);
      }
    }
  }

  @Test
  void whatIsUnknownIsToldWithItsCode() throws Exception {
    client.get("/v2/a/manifests/v9").is(404, "MANIFEST_UNKNOWN");
    client.get("/v2/a/manifests/" + SOME).is(404, "MANIFEST_UNKNOWN");
    client.get("/v2/a/blobs/" + SOME).is(404, "BLOB_UNKNOWN");
    client.get("/v2/a/blobs/uploads/" + "0".repeat(32)).is(404, "BLOB_UPLOAD_UNKNOWN");
    client.delete("/v2/a/blobs/uploads/x").is(404, "BLOB_UPLOAD_UNKNOWN");
    Answer head = client.head("/v2/a/manifests/v9").is(404);
    assertThat(head.body()).isEmpty();
  }

  @Test
  void aQueryThatMeansNothingIsRefused() throws Exception {
    client.get("/v2/_catalog?last=" + "x".repeat(300)).is(400, "UNSUPPORTED");
    String long1 = "x".repeat(300);
    client.post("/v2/a/blobs/uploads/?digest=" + long1, NOTHING).is(400);
    String path = "/v2/a/blobs/uploads/?digest=%zz";
    assertThat(client.raw("POST " + path + " HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"))
        .startsWith("HTTP/1.1 400 ")
        .contains("{\"errors\":[{\"code\":");
  }
}
