package dev.regen.runtime.oci;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A layer tree that is about to take the place of a stopped container's upper, and the directories
 * that leave the upper for it, whole. On record before the first of them moves: whoever finds the
 * record brings the upper to what it was, or, if the exchange was done, leaves it.
 *
 * @param tree in staging, a name that no sweep removes
 * @param inode of the tree's root
 * @param moves by the directory that holds them, the same in both trees
 */
record ReplacementRecord(Path upper, Path tree, long inode, List<Moves> moves) {
  private static final Logger LOG = LoggerFactory.getLogger(ReplacementRecord.class);
  private static final byte[] HERE = {'.'};
  private static final int DIRECTORY = Fd.RDONLY | Fd.DIRECTORY;

  /**
   * Names that move from one directory to its like, and the times that both are to have.
   *
   * @param parent relative to the tree, a char for each byte
   * @param names likewise
   */
  record Moves(String parent, List<String> names, Stat.Time upperTime, Stat.Time treeTime) {}

  /**
   * Describes a replacement; moves nothing.
   *
   * @param tree as it is called now
   * @param placing what it is to be called, and what is in its place after the exchange
   * @param directories of the upper, paths relative to it, none in another; the tree has the
   *     directories that hold them, and nothing of their names
   */
  static ReplacementRecord of(Path upper, Path tree, Path placing, List<byte[]> directories)
      throws IOException {
    Map<String, List<String>> names = new LinkedHashMap<>();
    for (byte[] path : directories) {
      String text = text(path);
      int slash = text.lastIndexOf('/');
      String parent = slash < 0 ? "" : text.substring(0, slash);
      names.computeIfAbsent(parent, _ -> new ArrayList<>()).add(text.substring(slash + 1));
    }
    List<Moves> moves = new ArrayList<>();
    try (Fd from = Fd.directory(upper);
        Fd to = Fd.directory(tree)) {
      for (Map.Entry<String, List<String>> entry : names.entrySet()) {
        try (Fd upperParent = open(from, entry.getKey());
            Fd treeParent = open(to, entry.getKey())) {
          moves.add(
              new Moves(
                  entry.getKey(),
                  entry.getValue(),
                  upperParent.stat().mtime(),
                  treeParent.stat().mtime()));
        }
      }
    }
    return new ReplacementRecord(upper, placing, Fd.stat(tree).inode(), moves);
  }

  /** Puts the tree in the upper's place; the old upper has the tree's name then. */
  void moveIn(Disk disk) throws IOException {
    try (Fd from = Fd.directory(upper);
        Fd to = Fd.directory(tree)) {
      for (Moves each : moves) {
        try (Fd upperParent = open(from, each.parent());
            Fd treeParent = open(to, each.parent())) {
          for (String name : each.names()) {
            disk.move(upperParent, bytes(name), treeParent);
          }
          treeParent.touchAt(HERE, each.treeTime());
        }
      }
    }
    disk.exchange(tree, upper);
  }

  /** Whether the tree is in the upper's place. */
  boolean isIn() throws IOException {
    return Fd.stat(upper).inode() == inode;
  }

  /**
   * Brings the upper to what it was, unless the tree is in its place or it is gone.
   *
   * <p>Nothing of what has the tree's name is needed afterwards.
   */
  void settle(Disk disk) throws IOException {
    if (Fd.statIfThere(upper) != null && Fd.statIfThere(tree) != null && !isIn()) {
      putBack(disk);
    }
  }

  private void putBack(Disk disk) throws IOException {
    try (Fd to = Fd.directory(upper);
        Fd from = Fd.directory(tree)) {
      for (Moves each : moves) {
        try (Fd upperParent = open(to, each.parent());
            Fd treeParent = open(from, each.parent())) {
          putBack(each, treeParent, upperParent, disk);
        } catch (ErrnoException e) {
          if (!isGone(e)) {
            throw e;
          }
          LOG.warn("{} of {} is not there any more: {}", each.parent(), upper, e.getMessage());
        }
      }
    }
  }

  /** What a run without any of our processes made anew under such a name stays. */
  private void putBack(Moves each, Fd from, Fd to, Disk disk) throws IOException {
    for (String name : each.names()) {
      if (from.statIfThere(bytes(name)) == null) {
        continue;
      }
      if (to.statIfThere(bytes(name)) == null) {
        disk.move(from, bytes(name), to);
      } else {
        LOG.warn("{} in {} of {} was made anew meanwhile, and stays", name, each.parent(), upper);
      }
    }
    to.touchAt(HERE, each.upperTime());
  }

  private static boolean isGone(ErrnoException e) {
    return e.is(ErrnoException.ENOENT)
        || e.is(ErrnoException.ENOTDIR)
        || e.is(ErrnoException.ELOOP);
  }

  private static Fd open(Fd root, String parent) throws IOException {
    return root.openBeneath(parent.isEmpty() ? HERE : bytes(parent), DIRECTORY, 0);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  JsonObject json() {
    List<JsonObject> all = new ArrayList<>();
    for (Moves each : moves) {
      all.add(
          new JsonObject()
              .with("parent", each.parent())
              .with("names", each.names())
              .with("upperTime", json(each.upperTime()))
              .with("treeTime", json(each.treeTime())));
    }
    return new JsonObject()
        .with("upper", upper.toString())
        .with("tree", tree.toString())
        .with("inode", inode)
        .with("moves", all);
  }

  static ReplacementRecord of(JsonObject json) throws IOException {
    List<Moves> moves = new ArrayList<>();
    for (JsonObject each : json.objects("moves")) {
      moves.add(
          new Moves(
              each.string("parent"),
              each.strings("names"),
              time(each.object("upperTime")),
              time(each.object("treeTime"))));
    }
    return new ReplacementRecord(
        Path.of(json.string("upper")), Path.of(json.string("tree")), json.number("inode"), moves);
  }

  private static JsonObject json(Stat.Time time) {
    return new JsonObject().with("seconds", time.seconds()).with("nanos", time.nanos());
  }

  private static Stat.Time time(JsonObject json) throws IOException {
    return new Stat.Time(json.number("seconds"), Math.toIntExact(json.number("nanos")));
  }
}
