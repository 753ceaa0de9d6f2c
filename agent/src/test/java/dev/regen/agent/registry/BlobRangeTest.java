package dev.regen.agent.registry;

import static dev.regen.agent.registry.RegistryClient.NOTHING;
import static dev.regen.agent.registry.RegistryClient.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Parts of blobs and conditions, as RFC 9110 has them. */
final class BlobRangeTest {
  private static final long SEED = 20260718;

  /** Longer than the pieces that a blob is stored in. */
  private static final byte[] BLOB = bytes(SEED, 9_000_000);

  @SuppressWarnings("NullAway.Init")
  private static ServedRegistry manager;

  @SuppressWarnings("NullAway.Init")
  private static RegistryClient client;

  @SuppressWarnings("NullAway.Init")
  private static String digest;

  @SuppressWarnings("NullAway.Init")
  private static String blob;

  @BeforeAll
  static void start(@TempDir Path directory) throws Exception {
    manager = ServedRegistry.over("dir:" + directory);
    client = manager.client();
    digest = client.blob("range", BLOB);
    blob = "/v2/range/blobs/" + digest;
  }

  @AfterAll
  static void stop() throws Exception {
    manager.close();
  }

  @Test
  void aRangeIsAnsweredWithItsBytes() throws Exception {
    assertPart("bytes=0-0", 0, 1);
    assertPart("bytes=500-1499", 500, 1_500);
    assertPart("bytes=8000000-", 8_000_000, BLOB.length);
    assertPart("bytes=-500", BLOB.length - 500, BLOB.length);
    assertPart("bytes=-99999999", 0, BLOB.length);
    assertPart("bytes=8999999-99999999", 8_999_999, BLOB.length);
    assertPart("bytes=8999999-999999999999999999999999", 8_999_999, BLOB.length);
    assertPart("bytes=4194303-4194304", 4_194_303, 4_194_305);
  }

  @Test
  void anyRangeIsAnsweredWithItsBytes() throws Exception {
    Random random = new Random(SEED);
    for (int i = 0; i < 30; i++) {
      int from = random.nextInt(BLOB.length);
      int to = from + 1 + random.nextInt(Math.min(200_000, BLOB.length - from));
      assertPart("bytes=" + from + "-" + (to - 1), from, to);
    }
  }

  @Test
  void aRangeWithoutAByteOfTheBlobIsNotSatisfiable() throws Exception {
    for (String range :
        List.of("bytes=9000000-", "bytes=9000000-9000009", "bytes=-0", "bytes=500-0")) {
      Answer refused = client.get(blob, "Range", range).is(416, "RANGE_INVALID");
      assertThat(refused.header("Content-Range")).as(range).isEqualTo("bytes */9000000");
      assertThat(refused.header("Cache-Control")).as(range).doesNotContain("max-age");
    }
    String empty = "/v2/range/blobs/" + client.blob("range", NOTHING);
    for (String range : List.of("bytes=0-", "bytes=-1")) {
      assertThat(client.get(empty, "Range", range).is(416).header("Content-Range"))
          .isEqualTo("bytes */0");
    }
  }

  @Test
  void whatIsNoSingleRangeOfBytesIsAnsweredWithTheWhole() throws Exception {
    for (String range :
        List.of("bytes=", "bytes=-", "bytes=a-b", "0-5", "lines=1-2", "bytes=0-1,5-6", "bytes")) {
      Answer whole = client.get(blob, "Range", range).is(200);
      assertThat(whole.header("Content-Range")).as(range).isEmpty();
      assertThat(whole.body()).as(range).isEqualTo(BLOB);
    }
    assertThat(client.get(blob, "Range", "bytes=0-" + "0,1-".repeat(200) + "2").is(200).body())
        .hasSameSizeAs(BLOB);
  }

  @Test
  void ifRangeHoldsForTheSameBlobAlone() throws Exception {
    String tag = client.head(blob).header("ETag");
    assertThat(tag).startsWith("\"").endsWith("\"");

    assertThat(client.get(blob, "Range", "bytes=0-9", "If-Range", tag).is(206).body()).hasSize(10);
    for (String other : List.of("\"other\"", "W/" + tag, "Fri, 17 Jul 2026 10:00:00 GMT")) {
      assertThat(client.get(blob, "Range", "bytes=0-9", "If-Range", other).is(200).body())
          .as(other)
          .hasSameSizeAs(BLOB);
    }
  }

  @Test
  void whoHasTheBlobIsToldSo() throws Exception {
    String tag = client.head(blob).header("ETag");
    String others = "\"" + "x".repeat(300) + "\"";
    for (String known : List.of(tag, "W/" + tag, others + ", " + tag, "\"a\",W/" + tag, "*")) {
      Answer answer = client.get(blob, "If-None-Match", known).is(304);
      assertThat(answer.body()).as(known).isEmpty();
      assertThat(answer.header("ETag")).as(known).isEqualTo(tag);
      assertThat(answer.digest()).as(known).isEqualTo(digest);
    }
    assertThat(client.get(blob, "If-None-Match", others).is(200).body()).hasSameSizeAs(BLOB);
  }

  @Test
  void aRangeOfAHeadIsIgnored() throws Exception {
    String answer =
        client.raw(
            "HEAD "
                + blob
                + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\nRange: bytes=0-4\r\n\r\n");

    assertThat(answer)
        .startsWith("HTTP/1.1 200 ")
        .containsIgnoringCase("content-length: 9000000\r\n")
        .endsWith("\r\n\r\n");
  }

  private static void assertPart(String range, int from, int to) throws Exception {
    Answer part = client.get(blob, "Range", range).is(206);
    assertThat(part.header("Content-Range"))
        .as(range)
        .isEqualTo("bytes " + from + "-" + (to - 1) + "/" + BLOB.length);
    assertThat(part.header("Content-Length")).as(range).isEqualTo(Integer.toString(to - from));
    assertThat(part.digest()).as(range).isEqualTo(digest);
    assertThat(part.body())
        .as("%s, seed %s", range, SEED)
        .isEqualTo(Arrays.copyOfRange(BLOB, from, to));
  }
}
