package dev.regen.e2e;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Where a host's engine runs, and which one. */
sealed interface Place {
  /** The words that start the engine; they become the engine's process. */
  List<String> engine(Path root, List<String> words) throws IOException, InterruptedException;

  /** The words that run a command where Regen's agent and command line belong. */
  default List<String> inside(long engine, List<String> words) {
    return words;
  }

  /** Where the engine keeps its data when it is told {@code given}. */
  default Path dataRoot(Path given) {
    return given;
  }

  /** What is in {@code daemon.json} beside the runtime. */
  default JsonObject settings() {
    return new JsonObject();
  }

  /** The machine's own engine, in a network of its own: without a bridge it deletes docker0. */
  record Here() implements Place {
    @Override
    public List<String> engine(Path root, List<String> words) {
      return joined(List.of("unshare", "--net"), words);
    }
  }

  /** The machine's own engine, with a data root that is mounted for it alone. */
  record OwnMounts() implements Place {
    private static final String SCRIPT =
        "mkdir -p $0/hidden $0/docker; mount --bind $0/hidden $0/docker && exec \"$@\"";

    @Override
    public List<String> engine(Path root, List<String> words) {
      return joined(
          List.of("unshare", "--net", "--mount", "sh", "-c", SCRIPT, root.toString()), words);
    }
  }

  /** The machine's own engine, its containers' ids mapped; it has an {@code /etc} of its own. */
  record RemappedIds() implements Place {
    static final int FIRST_ID = 200_000;

    private static final String SCRIPT =
        """
        set -e
        chmod 711 $0; mkdir -p $0/etc/upper $0/etc/work
        mount -t overlay -o lowerdir=/etc,upperdir=$0/etc/upper,workdir=$0/etc/work overlay /etc
        echo 'regenmap:x:20001:20001::/:/bin/false' >>/etc/passwd
        echo 'regenmap:x:20001:' >>/etc/group
        echo 'regenmap:200000:65536' | tee /etc/subuid >/etc/subgid
        exec "$@"
        """;

    @Override
    public List<String> engine(Path root, List<String> words) {
      return joined(
          List.of("unshare", "--net", "--mount", "sh", "-c", SCRIPT, root.toString()), words);
    }

    @Override
    public Path dataRoot(Path given) {
      return given.resolve(FIRST_ID + "." + FIRST_ID);
    }

    @Override
    public JsonObject settings() {
      return new JsonObject().with("userns-remap", "regenmap");
    }
  }

  /**
   * Docker 28 with its containerd store, inside a Debian of its own ({@code scripts/engine28}),
   * where the agent runs too. The host's directory, the JDK and the classes are seen there at the
   * same paths.
   */
  record Docker28() implements Place {
    private static final Path SCRIPT = Path.of("scripts/engine28");

    private static final String ENTER =
        """
        set -e
        tree=$0; binds=$1; shift
        mount --bind $tree $tree
        mount -t proc proc $tree/proc; mount --rbind /sys $tree/sys; mount --rbind /dev $tree/dev
        mount -t tmpfs tmpfs $tree/run; mount -t tmpfs tmpfs $tree/tmp
        for bind in $binds; do mkdir -p $tree$bind; mount --rbind $bind $tree$bind; done
        mkdir -p $tree/outside; cd $tree; pivot_root . outside; umount -l /outside
        exec "$@"
        """;

    @Override
    public List<String> engine(Path root, List<String> words)
        throws IOException, InterruptedException {
      String tree =
          Command.run(java.util.Map.of(), Host.repository().resolve(SCRIPT).toString()).ok();
      String binds =
          String.join(
              " ",
              root.toString(),
              System.getProperty("java.home"),
              Host.repository().toString(),
              System.getProperty("user.home") + "/.m2");
      return joined(
          List.of("unshare", "--net", "--mount", "bash", "-c", ENTER, tree, binds), words);
    }

    @Override
    public List<String> inside(long engine, List<String> words) {
      return joined(
          List.of("nsenter", "--target=" + engine, "--mount", "--root", "--wd", "--"), words);
    }

    @Override
    public JsonObject settings() {
      return new JsonObject()
          .with("features", new JsonObject().with("containerd-snapshotter", true));
    }
  }

  /** As {@link Docker28}, with the layer store that engines had before. */
  record Docker28Overlay(Docker28 same) implements Place {
    Docker28Overlay() {
      this(new Docker28());
    }

    @Override
    public List<String> engine(Path root, List<String> words)
        throws IOException, InterruptedException {
      return same.engine(root, words);
    }

    @Override
    public List<String> inside(long engine, List<String> words) {
      return same.inside(engine, words);
    }

    @Override
    public JsonObject settings() {
      return new JsonObject()
          .with("features", new JsonObject().with("containerd-snapshotter", false));
    }
  }

  private static List<String> joined(List<String> first, List<String> then) {
    List<String> all = new ArrayList<>(first);
    all.addAll(then);
    return all;
  }
}
