package dev.regen.agent.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.Spool;
import dev.regen.runtime.oci.Stores;
import dev.regen.runtime.oci.Views;
import dev.regen.runtime.overlay.Staging;
import dev.regen.snapshot.capture.Captures;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.layer.LayerArchiver;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.PackedChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A layer that was frozen in part has its tree, and no place in the spool yet: the disk was full,
 * say. Without its listing nobody could archive it any more.
 */
final class StartSweepListingTest {
  private final Disk disk = new LocalDisk();

  @TempDir
  @SuppressWarnings("NullAway.Init") // JUnit sets it
  private Path directory;

  @Test
  void listingStaysAsLongAsItsTreeIsThere() throws IOException {
    Path home = Files.createDirectories(directory.resolve("home"));
    Files.createDirectories(home.resolve("spool"));
    Staging staging = new Staging(Files.createDirectories(directory.resolve("store")));
    Stores stores = new Stores(disk, home.resolve("stores"));
    stores.remember(staging);
    Path tree = Files.createDirectories(staging.listed("without-a-time"));
    Path listings = Files.createDirectories(home.resolve("listings"));
    Files.writeString(listings.resolve("without-a-time"), "a listing");
    Files.writeString(listings.resolve("archived"), "a listing");

    sweep(home, stores).run();

    assertThat(tree).exists();
    assertThat(listings.toFile().list()).containsExactly("without-a-time");
  }

  private StartSweep sweep(Path home, Stores stores) throws IOException {
    SnapshotQueues queues = new SnapshotQueues(disk, home.resolve("queues"));
    SnapshotStore snapshots = new SnapshotStore(disk, home.resolve("snapshots"), Keys.NONE);
    PackedChunkStore chunks = new PackedChunkStore(disk, home.resolve("chunks"));
    LayerArchiver archiver = new LayerArchiver(chunks, 1);
    Captures captures =
        new Captures(disk, home, queues, snapshots, chunks, archiver::archive, Keys.NONE);
    return new StartSweep(
        new Spool(disk, home.resolve("spool")),
        stores,
        new Views(home),
        queues,
        snapshots,
        captures.files(),
        new Events(disk, home, InstantSource.system()));
  }
}
