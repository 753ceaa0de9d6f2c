package dev.regen.snapshot.transfer;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.remote.Load;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.StoreUrl;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Transfers of which one dies. */
final class CrewTest {
  @TempDir private Path directory;

  @Test
  void whatDiesOfAnErrorDoesNotSeemToBeTransferred() throws Exception {
    Chunk chunk = new Chunk(Digest.of(ByteBuffer.wrap(new byte[10])), 10, 10);
    Crew.Item item = () -> chunk;
    try (RemoteStore store = StoreUrl.parse("dir:" + directory.resolve("store")).open(true)) {
      Crew crew = new Crew(store, Load.Way.GET, 1, TransferProgress.NONE);

      assertThatThrownBy(() ->
              crew.run(
                  List.of(item),
                  _ -> {
                    throw new NoClassDefFoundError("gone after an update");
                  }))
          .hasRootCauseInstanceOf(NoClassDefFoundError.class);
    }
  }
}
