package dev.regen.runtime.overlay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A linked tree, and what is done to the files that it shares. */
final class ChangedSinceTest {
  private static final Duration TICKS = Duration.ofMillis(50);

  @TempDir Path directory;
  private Path upper = Path.of("");
  private Path tree = Path.of("");
  private Stat.Time frozenAt = new Stat.Time(0, 0);

  @BeforeEach
  void linkedTree() throws IOException, InterruptedException {
    upper = directory.resolve("upper");
    tree = directory.resolve("tree");
    Path linking = directory.resolve("linking");
    Files.createDirectories(upper.resolve("below"));
    Files.writeString(upper.resolve("below/file"), "1");
    Files.writeString(upper.resolve("future"), "1");
    Files.setLastModifiedTime(
        upper.resolve("future"), FileTime.from(Instant.now().plus(Duration.ofDays(1))));
    LinkedTree.make(upper, linking, Duration.ofSeconds(10));
    Files.move(linking, tree);
    frozenAt = Fd.stat(tree).ctime();
    Thread.sleep(TICKS);
  }

  @Test
  void itsOwnLinksAreNoChange() throws IOException {
    Files.writeString(upper.resolve("below/new"), "1");

    assertThat(ChangedSince.byCtime(tree, frozenAt)).isFalse();
    assertThat(ChangedSince.byMtime(tree, frozenAt)).isFalse();
  }

  @Test
  void aWriteIsOneAlsoIfItsTimeIsSetBack() throws IOException {
    Path file = upper.resolve("below/file");
    FileTime before = Files.getLastModifiedTime(file);
    Files.writeString(file, "2");
    assertThat(ChangedSince.byMtime(tree, frozenAt)).isTrue();

    Files.setLastModifiedTime(file, before);

    assertThat(ChangedSince.byCtime(tree, frozenAt)).isTrue();
  }

  @Test
  void aRemovalOfTheOtherNamesIsNoWrite() throws IOException {
    TreeRemoval.remove(upper);

    assertThat(ChangedSince.byMtime(tree, frozenAt)).isFalse();
  }
}
