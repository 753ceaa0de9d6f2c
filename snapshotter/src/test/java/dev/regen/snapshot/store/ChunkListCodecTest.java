package dev.regen.snapshot.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lists of chunks come from other hosts: only what was written is read, and as it was written. */
final class ChunkListCodecTest {
  private static final String HEX = "0123456789abcdef".repeat(4);

  @Test
  void whatWasWrittenIsReadAgain() throws Exception {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    List<Chunk> chunks = new ArrayList<>();
    while (chunks.size() < 5_000) {
      byte[] some = new byte[8];
      random.nextBytes(some);
      int stored = random.nextInt(1, 8_000_000);
      Chunk chunk =
          new Chunk(Digest.of(ByteBuffer.wrap(some)), stored, random.nextInt(1, 8_000_000));
      for (int i = random.nextInt(10) == 0 ? random.nextInt(2, 300) : 1; i > 0; i--) {
        chunks.add(chunk);
      }
    }

    assertThat(ChunkListCodec.decode(ChunkListCodec.encode(chunks))).isEqualTo(chunks);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ":",
        "::",
        "H",
        "H:",
        "H::",
        "H:1",
        "H:1:",
        "H::1",
        ":1:1",
        "H:1:1*",
        "H:1:1*0",
        "H:1:1*-1",
        "H:-1:1",
        "H:+1:1",
        "H:1:1 ",
        " H:1:1",
        "H:1:1:1",
        "H:1:1*1*1",
        "H*1:1:1",
        "H:1*1:1",
        "H:1234567890:1",
        "H:1:1234567890",
        "H:1:1*1234567890",
        "H:\u0661:1",
        "HH:1:1",
        "H:0x1:1",
        "H:1:1\n"
      })
  void anythingElseIsRefused(String text) {
    for (String one : List.of(text.replace("H", HEX), text.replace("H", "A" + HEX.substring(1)))) {
      assertThatThrownBy(() -> ChunkListCodec.decode(List.of(one))).isInstanceOf(IOException.class);
    }
  }

  @Test
  void moreThanAnArchiveMayHaveAreRefusedBeforeTheyTakeMemory() {
    List<String> texts = List.of(HEX + ":1:1*" + Archive.CHUNKS_MAX, HEX + ":1:1*" + 1);
    assertThatThrownBy(() -> ChunkListCodec.decode(texts))
        .hasMessage("more than " + Archive.CHUNKS_MAX + " chunks");
  }
}
