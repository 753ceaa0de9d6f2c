package dev.regen.snapshot.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.remote.RemoteStoreContract;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Manifests whose digests are right, and whose bytes somebody made up. */
final class HostileManifestTest {
  private static final byte[] MANIFEST = RemoteStoreContract.bytes(1, 5_000);

  @TempDir private Path directory;

  enum Frame {
    NONE {
      @Override
      byte[] bytes() {
        return RemoteStoreContract.bytes(2, 5_000);
      }
    },
    CUT_OFF {
      @Override
      byte[] bytes() {
        return Arrays.copyOf(Zstd.compress(MANIFEST), 3_000);
      }
    },
    OTHER_BYTES {
      @Override
      byte[] bytes() {
        byte[] frame = Zstd.compress(MANIFEST);
        frame[4] = -1;
        frame[6] ^= 0x77;
        return frame;
      }
    },
    SHORT {
      @Override
      byte[] bytes() {
        return Zstd.compress(new byte[MANIFEST.length - 1]);
      }
    },
    BOMB {
      @Override
      byte[] bytes() {
        return Zstd.compress(new byte[256 << 20]);
      }
    };

    abstract byte[] bytes();
  }

  @ParameterizedTest
  @EnumSource
  void aFrameThatDoesNotUnpackToWhatTheRecordSaysIsDamaged(Frame frame) throws IOException {
    assertThatThrownBy(() -> fetched(frame.bytes()))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining("does not unpack");
  }

  @Test
  void aWholeOneIsWhatWasPacked() throws IOException {
    assertThat(fetched(Zstd.compress(MANIFEST))).isEqualTo(MANIFEST);
  }

  private byte[] fetched(byte[] frame) throws IOException {
    Digest digest = Digest.of(ByteBuffer.wrap(frame));
    try (DirectoryRemote store = new DirectoryRemote(directory, Long.MAX_VALUE)) {
      store.put(RemoteStoreContract.name(digest, frame.length), ByteBuffer.wrap(frame));
      return new PackedManifest(
              MANIFEST.length, List.of(new PackedManifest.Part(digest, frame.length)))
          .fetch(store);
    }
  }
}
