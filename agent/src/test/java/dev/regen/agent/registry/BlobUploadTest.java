package dev.regen.agent.registry;

import static dev.regen.agent.registry.RegistryClient.NOTHING;
import static dev.regen.agent.registry.RegistryClient.bytes;
import static dev.regen.agent.registry.RegistryClient.sha256;
import static dev.regen.agent.registry.RegistryClient.sha512;
import static dev.regen.agent.registry.RegistryClient.streamed;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Blobs that come whole, from other repositories, or not as they were announced. */
final class BlobUploadTest extends OneRegistry {
  private static final byte[] BLOB = bytes(1, 100_000);

  @Test
  void postThenPutMakesABlob() throws Exception {
    Answer begun = client.post("/v2/post-put/blobs/uploads/", NOTHING).is(202);
    assertThat(begun.header("Range")).isEqualTo("0-0");
    assertThat(begun.header("OCI-Chunk-Min-Length")).matches("[1-9][0-9]*");

    Answer made = client.put(begun.location() + "?digest=" + sha256(BLOB), BLOB).is(201);

    assertThat(made.digest()).isEqualTo(sha256(BLOB));
    Answer got = client.get(made.location()).is(200);
    assertThat(got.body()).isEqualTo(BLOB);
    assertThat(got.digest()).isEqualTo(sha256(BLOB));
    assertThat(got.header("Content-Type")).isEqualTo("application/octet-stream");
    client.get(begun.location()).is(404, "BLOB_UPLOAD_UNKNOWN");
  }

  @Test
  void uploadsBeginWithoutTheLastSlashToo() throws Exception {
    client.post("/v2/no-slash/blobs/uploads", NOTHING).is(202).location();
  }

  @Test
  void onePostMakesABlob() throws Exception {
    Answer made = client.post("/v2/post/blobs/uploads/?digest=" + sha256(BLOB), BLOB).is(201);

    assertThat(made.digest()).isEqualTo(sha256(BLOB));
    assertThat(client.get(made.location()).is(200).body()).isEqualTo(BLOB);
  }

  @Test
  void aPutOrPostWithoutALengthMakesABlob() throws Exception {
    String digest = "?digest=" + sha256(BLOB);
    client.send("PUT", client.begin("streamed/put") + digest, streamed(BLOB)).is(201);
    client.send("POST", "/v2/streamed/post/blobs/uploads/" + digest, streamed(BLOB)).is(201);

    assertThat(client.get("/v2/streamed/put/blobs/" + sha256(BLOB)).body()).isEqualTo(BLOB);
    assertThat(client.get("/v2/streamed/post/blobs/" + sha256(BLOB)).body()).isEqualTo(BLOB);
  }

  @Test
  void headSaysHowLongABlobIs() throws Exception {
    String digest = client.blob("head", BLOB);

    Answer head = client.head("/v2/head/blobs/" + digest).is(200);

    assertThat(head.header("Content-Length")).isEqualTo("100000");
    assertThat(head.digest()).isEqualTo(digest);
    assertThat(head.header("Accept-Ranges")).isEqualTo("bytes");
    assertThat(head.body()).isEmpty();
    assertThat(client.head("/v2/head/blobs/" + sha256(NOTHING)).is(404).body()).isEmpty();
  }

  @Test
  void anEmptyBlobIsABlob() throws Exception {
    client.put(client.begin("empty/put") + "?digest=" + sha256(NOTHING), NOTHING).is(201);
    client.post("/v2/empty/post/blobs/uploads/?digest=" + sha256(NOTHING), NOTHING).is(201);

    for (String repository : new String[] {"empty/put", "empty/post"}) {
      String blob = "/v2/" + repository + "/blobs/" + sha256(NOTHING);
      assertThat(client.get(blob).is(200).body()).isEmpty();
      assertThat(client.head(blob).is(200).header("Content-Length")).isEqualTo("0");
    }
  }

  @Test
  void sha512NamesBlobsToo() throws Exception {
    String begun =
        client
            .post("/v2/sha512/blobs/uploads/?digest-algorithm=sha512", NOTHING)
            .is(202)
            .location();
    Answer made = client.put(begun + "?digest=" + sha512(BLOB), BLOB).is(201);
    assertThat(made.digest()).isEqualTo(sha512(BLOB));

    client.put(client.begin("sha512/late") + "?digest=" + sha512(BLOB), BLOB).is(201);

    assertThat(client.get(made.location()).is(200).body()).isEqualTo(BLOB);
    assertThat(client.get("/v2/sha512/late/blobs/" + sha512(BLOB)).digest())
        .isEqualTo(sha512(BLOB));
    client.get("/v2/sha512/blobs/" + sha256(BLOB)).is(404, "BLOB_UNKNOWN");
  }

  @Test
  void bytesOfAnotherDigestAreNoBlob() throws Exception {
    String other = sha256(bytes(2, 10));
    client.put(client.begin("wrong") + "?digest=" + other, BLOB).is(400, "DIGEST_INVALID");
    client.post("/v2/wrong/blobs/uploads/?digest=" + other, BLOB).is(400, "DIGEST_INVALID");
    String chunked = client.begin("wrong");
    client.patch(chunked, BLOB).is(202);
    client.put(chunked + "?digest=" + sha512(bytes(2, 10)), NOTHING).is(400, "DIGEST_INVALID");

    client.get("/v2/wrong/blobs/" + other).is(404, "BLOB_UNKNOWN");
    client.get("/v2/wrong/blobs/" + sha256(BLOB)).is(404, "BLOB_UNKNOWN");
  }

  @Test
  void aPutWithoutADigestLeavesTheUploadAsItIs() throws Exception {
    String upload = client.begin("no-digest");
    for (String digest : new String[] {"", "?digest=", "?digest=sha256:abc", "?digest=md5:00"}) {
      client.put(upload + digest, BLOB).is(400, "DIGEST_INVALID");
    }

    client.put(upload + "?digest=" + sha256(BLOB), BLOB).is(201);
  }

  @Test
  void aCancelledUploadIsGone() throws Exception {
    String upload = client.begin("cancel");
    client.patch(upload, BLOB).is(202);

    client.delete(upload).is(204);

    client.get(upload).is(404, "BLOB_UPLOAD_UNKNOWN");
    client.delete(upload).is(404, "BLOB_UPLOAD_UNKNOWN");
    client.patch(upload, BLOB).is(404, "BLOB_UPLOAD_UNKNOWN");
    client.put(upload + "?digest=" + sha256(BLOB), BLOB).is(404, "BLOB_UPLOAD_UNKNOWN");
  }

  @Test
  void anUploadBelongsToItsRepository() throws Exception {
    String upload = client.begin("mine");

    client.get(upload.replace("/mine/", "/yours/")).is(404, "BLOB_UPLOAD_UNKNOWN");
    client.patch(upload.replace("/mine/", "/yours/"), BLOB).is(404, "BLOB_UPLOAD_UNKNOWN");
    client.get(upload).is(204);
  }

  @Test
  void aBlobIsMountedFromWhereItIs() throws Exception {
    String digest = client.blob("mount/source", BLOB);

    Answer made =
        client
            .post("/v2/mount/to/blobs/uploads/?mount=" + digest + "&from=mount/source", NOTHING)
            .is(201);

    assertThat(made.digest()).isEqualTo(digest);
    assertThat(client.get(made.location()).is(200).body()).isEqualTo(BLOB);
    client.delete("/v2/mount/source/blobs/" + digest).is(202);
    client.get("/v2/mount/to/blobs/" + digest).is(200);
  }

  @Test
  void whatCannotBeMountedIsUploaded() throws Exception {
    String digest = client.blob("unmounted/source", BLOB);
    String missing = sha256(bytes(3, 10));
    for (String query :
        new String[] {
          "mount=" + missing + "&from=unmounted/source",
          "mount=" + digest + "&from=nowhere",
          "mount=" + digest + "&from=NO..NAME",
          "mount=sha256:abc&from=unmounted/source",
          "mount=" + missing
        }) {
      Answer begun = client.post("/v2/unmounted/to/blobs/uploads/?" + query, NOTHING).is(202);
      client.delete(begun.location()).is(204);
    }

    String begun =
        client
            .post("/v2/unmounted/to/blobs/uploads/?from=nowhere&mount=" + digest, NOTHING)
            .location();
    client.put(begun + "?digest=" + digest, BLOB).is(201);
  }

  @Test
  void aDeletedBlobIsGone() throws Exception {
    String blob = "/v2/delete/blobs/" + client.blob("delete", BLOB);

    client.delete(blob).is(202);

    client.get(blob).is(404, "BLOB_UNKNOWN");
    client.head(blob).is(404);
    client.delete(blob).is(404, "BLOB_UNKNOWN");
    client.blob("delete", BLOB);
    client.get(blob).is(200);
  }
}
