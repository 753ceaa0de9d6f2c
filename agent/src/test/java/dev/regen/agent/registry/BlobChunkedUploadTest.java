package dev.regen.agent.registry;

import static dev.regen.agent.registry.RegistryClient.NOTHING;
import static dev.regen.agent.registry.RegistryClient.bytes;
import static dev.regen.agent.registry.RegistryClient.sha256;
import static dev.regen.agent.registry.RegistryClient.sha512;
import static dev.regen.agent.registry.RegistryClient.streamed;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Blobs that come in pieces: missing, repeated, cut off and mislabelled ones. */
final class BlobChunkedUploadTest extends OneRegistry {
  private static final long SEED = 20260717;
  private static final int PIECE = 1 << 20;
  private static final byte[] BLOB = bytes(SEED, 3 * PIECE - 5);

  @Test
  void piecesInOrderMakeABlob() throws Exception {
    String location = client.begin("pieces");
    for (int from = 0; from < BLOB.length; from += PIECE) {
      int to = Math.min(BLOB.length, from + PIECE);
      Answer went = patch(location, from, to).is(202);
      assertThat(went.header("Range")).isEqualTo("0-" + (to - 1));
      location = went.location();
    }

    Answer made = client.put(location + "?digest=" + sha256(BLOB), NOTHING).is(201);

    assertThat(made.digest()).isEqualTo(sha256(BLOB));
    assertThat(client.get(made.location()).is(200).body()).isEqualTo(BLOB);
  }

  @Test
  void theLastPieceMayComeWithThePut() throws Exception {
    String location = patch(client.begin("last"), 0, 2 * PIECE).is(202).location();

    Answer made =
        client
            .put(
                location + "?digest=" + sha256(BLOB),
                Arrays.copyOfRange(BLOB, 2 * PIECE, BLOB.length),
                "Content-Range",
                2 * PIECE + "-" + (BLOB.length - 1))
            .is(201);

    assertThat(client.get(made.location()).body()).isEqualTo(BLOB);
  }

  @Test
  void aStreamedPatchNeedsNeitherLengthNorRange() throws Exception {
    String location = client.begin("stream");

    Answer went = client.send("PATCH", location, streamed(BLOB)).is(202);

    assertThat(went.header("Range")).isEqualTo("0-" + (BLOB.length - 1));
    Answer made = client.put(went.location() + "?digest=" + sha512(BLOB), NOTHING).is(201);
    assertThat(client.get(made.location()).body()).isEqualTo(BLOB);
  }

  @Test
  void aPieceOutOfOrderIsRefusedAndTheUploadGoesOn() throws Exception {
    String location = patch(client.begin("order"), 0, PIECE).is(202).location();
    for (int[] wrong : new int[][] {{2 * PIECE, BLOB.length}, {0, PIECE}, {PIECE - 1, PIECE + 1}}) {
      Answer refused = patch(location, wrong[0], wrong[1]).is(416, "RANGE_INVALID");
      assertThat(refused.location()).isEqualTo(location);
      assertThat(refused.header("Range")).isEqualTo("0-" + (PIECE - 1));
    }
    byte[] end = Arrays.copyOfRange(BLOB, 2 * PIECE, BLOB.length);
    String range = 2 * PIECE + "-" + (BLOB.length - 1);
    client
        .put(location + "?digest=" + sha256(BLOB), end, "Content-Range", range)
        .is(416, "RANGE_INVALID")
        .location();

    Answer state = client.get(location).is(204);

    assertThat(state.header("Range")).isEqualTo("0-" + (PIECE - 1));
    assertThat(state.body()).isEmpty();
    location = patch(state.location(), PIECE, BLOB.length).is(202).location();
    client.put(location + "?digest=" + sha256(BLOB), NOTHING).is(201);
  }

  @Test
  void theFirstPieceBeginsAtZero() throws Exception {
    String location = client.begin("first");

    patch(location, PIECE, 2 * PIECE).is(416, "RANGE_INVALID");

    assertThat(client.get(location).is(204).header("Range")).isEqualTo("0-0");
    patch(location, 0, PIECE).is(202);
  }

  @Test
  void aRangeThatIsNoRangeIsRefused() throws Exception {
    String location = client.begin("no-range");
    for (String range : new String[] {"x", "5-", "-5", "9-0", "0-9,20-29", "9".repeat(30) + "-1"}) {
      assertThat(client.patch(location, new byte[10], "Content-Range", range).status())
          .as(range)
          .isIn(400, 416);
    }

    assertThat(client.get(location).is(204).header("Range")).isEqualTo("0-0");
    client.put(location + "?digest=" + sha256(NOTHING), NOTHING).is(201);
  }

  @Test
  void aBodyOfAnotherLengthThanItsRangeChangesNothing() throws Exception {
    String location = patch(client.begin("length"), 0, 10).is(202).location();
    for (int length : new int[] {1, 9, 11, 5_000_000}) {
      byte[] body = new byte[length];
      client.patch(location, body, "Content-Range", "10-19").is(400, "SIZE_INVALID");
      client
          .send("PATCH", location, streamed(body), "Content-Range", "10-19")
          .is(400, "SIZE_INVALID");
    }

    assertThat(client.get(location).is(204).header("Range")).isEqualTo("0-9");
    location = patch(location, 10, BLOB.length).is(202).location();
    client.put(location + "?digest=" + sha256(BLOB), NOTHING).is(201);
  }

  @Test
  void whatCameBeforeTheConnectionBrokeIsKept() throws Exception {
    String location = client.begin("cut");
    byte[] text = "x".repeat(300_000).getBytes(StandardCharsets.ISO_8859_1);
    client.raw(
        "PATCH "
            + location
            + " HTTP/1.1\r\nHost: h\r\nContent-Length: 400000\r\n\r\n"
            + new String(text, StandardCharsets.ISO_8859_1));

    Answer state = client.get(location).is(204);

    assertThat(state.header("Range")).isEqualTo("0-299999");
    client.put(state.location() + "?digest=" + sha256(text), NOTHING).is(201);
  }

  @Test
  void piecesOfAnyLengthMakeTheSameBlob() throws Exception {
    Random random = new Random(SEED);
    String location = client.begin("any");
    int from = 0;
    while (from < BLOB.length) {
      int to =
          Math.min(BLOB.length, from + 1 + random.nextInt(random.nextBoolean() ? 10 : 900_000));
      byte[] piece = Arrays.copyOfRange(BLOB, from, to);
      Answer went =
          random.nextBoolean()
              ? client.send("PATCH", location, streamed(piece)).is(202)
              : patch(location, from, to).is(202);
      location = went.location();
      from = to;
    }

    Answer made = client.put(location + "?digest=" + sha256(BLOB), NOTHING);

    assertThat(made.status()).as("seed %s: %s", SEED, made).isEqualTo(201);
    assertThat(client.get(made.location()).body()).as("seed %s", SEED).isEqualTo(BLOB);
  }

  private static Answer patch(String location, int from, int to) throws Exception {
    return client.patch(
        location,
        Arrays.copyOfRange(BLOB, from, to),
        "Content-Range",
        from + "-" + (to - 1),
        "Content-Type",
        "application/octet-stream");
  }
}
