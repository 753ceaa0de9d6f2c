package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a layer tree on disk, as an archive of it would have them. It may be in use
 * meanwhile: what vanishes under the walk is left out.
 */
public final class TreeEntries implements LayerEntries {
  private final Fd root;
  private final Directory.Open open = new Directory.Open();
  private final TreeWalk walk;
  private final DiskFiles files;

  /**
   * Opens {@code tree}, which must be in overlay form.
   *
   * @param request what is left out, and whose ids are told
   */
  public TreeEntries(Path tree, ArchiveRequest request) throws IOException {
    this.root = Fd.directory(tree);
    this.files = new DiskFiles(request.uidMap(), request.gidMap());
    try {
      this.walk = new TreeWalk(Directory.root(open, root), request, new Omissions());
    } catch (IOException e) {
      open.close();
      root.close();
      throw e;
    }
  }

  @Override
  public @Nullable LayerItem next() throws IOException {
    while (true) {
      try {
        TreeEntry found = walk.next();
        if (found == null) {
          return null;
        }
        return files.item(
            found.directory(),
            found.name(),
            found.path(),
            found.type(),
            found.stat(),
            found.target());
      } catch (IOException e) {
        if (!DiskFiles.hasVanished(e)) {
          throw e;
        }
      }
    }
  }

  @Override
  public void close() {
    walk.close();
    open.close();
    root.close();
  }
}
