package dev.regen.agent.registry;

import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.image.ImagePush;
import dev.regen.snapshot.image.MadeImage;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.StoreUrl;
import dev.regen.snapshot.transfer.TestHost;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A store with two snapshots of the queue desk, and the image of one layer that they lie on. */
public record PublishedStore(String url, SnapshotId oldest, SnapshotId newest) {
  /** Makes one in a directory, which nobody has open then. */
  public static PublishedStore make(Path directory) throws IOException {
    String url = "dir:" + directory.resolve("store");
    TestHost host = new TestHost(directory.resolve("home"));
    MadeImage image =
        new MadeImage(MadeImage.By.DOCKER_20, "an image", List.of(MadeImage.bytes(1, 100_000)));
    host.imageId = image.id().toString();
    try (RemoteStore store = StoreUrl.parse(url).open(true)) {
      new ImagePush(store).push(image, null, TransferProgress.NONE);
      SnapshotId oldest = host.capture(1, 2);
      host.push(store, oldest);
      SnapshotId newest = host.capture(2, 2);
      host.push(store, newest);
      return new PublishedStore(url, oldest, newest);
    }
  }
}
