package dev.regen.runtime.durable;

import dev.regen.runtime.os.Fd;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A disk in memory that loses what was not forced when its power is cut, and cuts it at a chosen
 * operation.
 *
 * <p>Every change of names is a transaction: a rename happens as a whole or not at all. Forcing a
 * directory makes those that touched it last, and those before them that they build on. A file's
 * bytes last once they are forced, whatever became of its name. Reading is no operation.
 *
 * <p>Safe for use by several threads at once.
 */
public final class FaultyDisk implements Disk {
  /** What of the changes that were not forced is still there after the power was cut. */
  public enum Survivors {
    /** Nothing. */
    ONLY_FORCED,
    /** All of it, as if the kernel had just written everything out. */
    EVERYTHING,
    /** Some, by lot; bytes in part. */
    SOME
  }

  /** Something that may be interrupted by a power cut. */
  @FunctionalInterface
  public interface Work {
    void run() throws Exception;
  }

  private static final class Node {
    private final boolean directory;
    private final Map<String, Node> names = new TreeMap<>();
    private final Map<String, Node> lastingNames = new TreeMap<>();
    private byte[] bytes = new byte[0];
    private byte[] lastingBytes = new byte[0];

    Node(boolean directory) {
      this.directory = directory;
    }
  }

  private record Change(Node directory, String name, @Nullable Node target) {
    void apply(Map<String, Node> names) {
      if (target == null) {
        names.remove(name);
      } else {
        names.put(name, target);
      }
    }
  }

  private final Node root = new Node(true);
  private final Set<Path> locked = new HashSet<>();
  private List<List<Change>> unforced = new ArrayList<>();
  private long operations;
  private long cutAt = Long.MAX_VALUE;
  private long roomBytes = Long.MAX_VALUE;
  private boolean off;
  private Random lot = new Random(0);

  /** Cuts the power at the {@code count}-th operation from now, the next one being the first. */
  public synchronized void cutPowerIn(long count, long seed) {
    cutAt = operations + count;
    lot = new Random(seed);
  }

  /** Lets so many more bytes be written, and none after. */
  public synchronized void limitRoom(long bytes) {
    roomBytes = bytes;
  }

  public synchronized long operations() {
    return operations;
  }

  /**
   * Runs {@code work}; exceptions are its own affair once the power is off.
   *
   * @return whether the power stayed on
   */
  public boolean survives(Work work) throws Exception {
    try {
      work.run();
    } catch (Exception e) {
      if (!isOff()) {
        throw e;
      }
    }
    return !isOff();
  }

  /**
   * The process alone was killed: the next one finds everything as it was, forced or not, and no
   * locks held.
   */
  public synchronized FaultyDisk nextProcess() {
    off = false;
    cutAt = Long.MAX_VALUE;
    locked.clear();
    return this;
  }

  /** The disk after the power has come back; this one is of no use from now on. */
  public synchronized FaultyDisk reboot(Survivors survivors, long seed) {
    off = true;
    Random chance = new Random(seed);
    Set<List<Object>> lost = new HashSet<>();
    for (List<Change> transaction : unforced) {
      boolean buildsOnLost =
          transaction.stream().anyMatch(c -> lost.contains(List.of(c.directory(), c.name())));
      boolean kept =
          switch (survivors) {
            case ONLY_FORCED -> false;
            case EVERYTHING -> true;
            case SOME -> chance.nextBoolean() && !buildsOnLost;
          };
      for (Change change : transaction) {
        if (kept) {
          change.apply(change.directory().lastingNames);
        } else {
          lost.add(List.of(change.directory(), change.name()));
        }
      }
    }
    FaultyDisk next = new FaultyDisk();
    copyLasting(root, next.root, survivors, chance);
    return next;
  }

  @Override
  public synchronized byte[] read(Path file, long limitBytes) throws IOException {
    Node node = existing(file);
    if (node.directory) {
      throw new IOException(file + " is a directory");
    }
    if (node.bytes.length > limitBytes) {
      throw new FileTooLargeException(file, node.bytes.length, limitBytes);
    }
    return node.bytes.clone();
  }

  @Override
  public synchronized byte[] read(Path file, long offset, int length) throws IOException {
    byte[] bytes = existing(file).bytes;
    if (offset + length > bytes.length) {
      throw new IOException(file + " is shorter than " + (offset + length) + " bytes");
    }
    return Arrays.copyOfRange(bytes, (int) offset, (int) offset + length);
  }

  /** What was punched is lost at once: worse than what a file system does. */
  @Override
  public synchronized void punch(Path file, long offset, long length) throws IOException {
    Node node = existing(file);
    boolean cut = isCutNow();
    if (!cut || lot.nextBoolean()) {
      byte[] punched = node.bytes.clone();
      Arrays.fill(punched, (int) offset, (int) (offset + length), (byte) 0);
      node.lastingBytes =
          Arrays.equals(node.bytes, node.lastingBytes) ? punched : node.lastingBytes;
      node.bytes = punched;
    }
    endOfOperation(cut);
  }

  @Override
  public synchronized void create(Path file, ByteBuffer content) throws IOException {
    Node directory = existing(parent(file));
    if (directory.names.containsKey(name(file))) {
      throw new FileAlreadyExistsException(file.toString());
    }
    byte[] bytes = new byte[content.remaining()];
    content.get(bytes);
    Node created = new Node(false);
    boolean cut = isCutNow();
    boolean full = bytes.length > roomBytes;
    int length = cut ? lot.nextInt(bytes.length + 1) : (int) Math.min(bytes.length, roomBytes);
    created.bytes = Arrays.copyOf(bytes, length);
    roomBytes = roomBytes == Long.MAX_VALUE ? roomBytes : roomBytes - length;
    change(new Change(directory, name(file), created));
    endOfOperation(cut);
    if (full) {
      throw new DiskFullException(file, new IOException("No space left on device"));
    }
  }

  @Override
  public synchronized void append(Path file, ByteBuffer content) throws IOException {
    Node node = existing(file);
    byte[] bytes = new byte[content.remaining()];
    content.get(bytes);
    boolean cut = isCutNow();
    boolean full = bytes.length > roomBytes;
    int length = cut ? lot.nextInt(bytes.length + 1) : (int) Math.min(bytes.length, roomBytes);
    byte[] longer = Arrays.copyOf(node.bytes, node.bytes.length + length);
    System.arraycopy(bytes, 0, longer, node.bytes.length, length);
    node.bytes = longer;
    roomBytes = roomBytes == Long.MAX_VALUE ? roomBytes : roomBytes - length;
    endOfOperation(cut);
    if (full) {
      throw new DiskFullException(file, new IOException("No space left on device"));
    }
  }

  @Override
  public synchronized void startWriteout(Path file) throws IOException {
    existing(file);
    endOfOperation(isCutNow());
  }

  /** Nothing lasts for this alone: it promises less than {@link #force} and its order. */
  @Override
  public synchronized void forceFileSystem(Path path) throws IOException {
    existing(path);
    endOfOperation(isCutNow());
  }

  @Override
  public synchronized void force(Path file) throws IOException {
    Node node = existing(file);
    boolean cut = isCutNow();
    if (!cut) {
      node.lastingBytes = node.bytes;
    }
    endOfOperation(cut);
  }

  @Override
  public synchronized void rename(Path from, Path to) throws IOException {
    Node source = existing(parent(from));
    Node target = existing(parent(to));
    Node node = existing(from);
    boolean cut = isCutNow();
    if (!cut || lot.nextBoolean()) {
      change(new Change(source, name(from), null), new Change(target, name(to), node));
    }
    endOfOperation(cut);
  }

  @Override
  public synchronized void exchange(Path one, Path other) throws IOException {
    Change here = new Change(existing(parent(one)), name(one), existing(other));
    Change there = new Change(existing(parent(other)), name(other), existing(one));
    boolean cut = isCutNow();
    if (!cut || lot.nextBoolean()) {
      change(here, there);
    }
    endOfOperation(cut);
  }

  @Override
  public void move(Fd from, byte[] name, Fd to) {
    throw new UnsupportedOperationException("a disk in memory has no descriptors");
  }

  @Override
  public synchronized void forceDirectory(Path directory) throws IOException {
    Node node = existing(directory);
    boolean cut = isCutNow();
    if (!cut) {
      makeLast(node);
    }
    endOfOperation(cut);
  }

  @Override
  public synchronized void delete(Path file) throws IOException {
    Node directory = find(parent(file));
    boolean cut = isCutNow();
    Node node = directory == null ? null : directory.names.get(name(file));
    if (directory != null && node != null && (!cut || lot.nextBoolean())) {
      change(new Change(directory, name(file), null));
      roomBytes = roomBytes == Long.MAX_VALUE ? roomBytes : roomBytes + node.bytes.length;
    }
    endOfOperation(cut);
  }

  @Override
  public synchronized void makeDirectories(Path directory) throws IOException {
    Node node = root;
    boolean cut = isCutNow();
    for (Path name : directory) {
      Node next = node.names.get(name.toString());
      if (next == null) {
        if (cut && lot.nextBoolean()) {
          break;
        }
        next = new Node(true);
        change(new Change(node, name.toString(), next));
      }
      node = next;
    }
    endOfOperation(cut);
  }

  @Override
  public synchronized List<Path> list(Path directory) throws IOException {
    Node node = find(directory);
    return node == null ? List.of() : node.names.keySet().stream().map(directory::resolve).toList();
  }

  @Override
  public synchronized long size(Path file) throws IOException {
    Node node = find(file);
    return node == null ? -1 : node.directory ? 1 : node.bytes.length;
  }

  @Override
  public synchronized Optional<Lock> tryLock(Path file) throws IOException {
    existing(parent(file));
    return locked.add(file) ? Optional.of(() -> unlock(file)) : Optional.empty();
  }

  private synchronized void unlock(Path file) {
    locked.remove(file);
  }

  private synchronized boolean isOff() {
    return off;
  }

  private void makeLast(Node directory) {
    Set<Node> touched = new HashSet<>(Set.of(directory));
    List<List<Change>> lasting = new ArrayList<>();
    List<List<Change>> waiting = new ArrayList<>();
    for (List<Change> transaction : unforced.reversed()) {
      if (transaction.stream().anyMatch(change -> touched.contains(change.directory()))) {
        transaction.forEach(change -> touched.add(change.directory()));
        lasting.addFirst(transaction);
      } else {
        waiting.addFirst(transaction);
      }
    }
    lasting.forEach(t -> t.forEach(change -> change.apply(change.directory().lastingNames)));
    unforced = waiting;
  }

  private static void copyLasting(Node from, Node to, Survivors survivors, Random chance) {
    from.lastingNames.forEach((name, node) -> {
      Node copy = new Node(node.directory);
      copy.bytes = node.directory ? copy.bytes : surviving(node, survivors, chance);
      copy.lastingBytes = copy.bytes;
      to.names.put(name, copy);
      to.lastingNames.put(name, copy);
      copyLasting(node, copy, survivors, chance);
    });
  }

  private static byte[] surviving(Node file, Survivors survivors, Random chance) {
    if (Arrays.equals(file.bytes, file.lastingBytes)) {
      return file.bytes;
    }
    return switch (survivors) {
      case ONLY_FORCED -> file.lastingBytes;
      case EVERYTHING -> file.bytes;
      case SOME -> inPart(file.bytes, lastingPrefix(file), chance);
    };
  }

  /** So much at the beginning of an appended file was forced. */
  private static int lastingPrefix(Node file) {
    int forced = file.lastingBytes.length;
    boolean appended =
        forced <= file.bytes.length
            && Arrays.equals(file.bytes, 0, forced, file.lastingBytes, 0, forced);
    return appended ? forced : 0;
  }

  /** A part at the beginning, then zeros or nothing: the size may arrive before the bytes. */
  private static byte[] inPart(byte[] bytes, int atLeast, Random chance) {
    byte[] part = Arrays.copyOf(bytes, atLeast + chance.nextInt(bytes.length - atLeast + 1));
    return chance.nextBoolean() ? part : Arrays.copyOf(part, bytes.length);
  }

  private void change(Change... changes) {
    for (Change change : changes) {
      change.apply(change.directory().names);
    }
    unforced.add(List.of(changes));
  }

  private boolean isCutNow() throws PowerCut {
    requirePower();
    operations++;
    return operations >= cutAt;
  }

  private void endOfOperation(boolean cut) throws PowerCut {
    if (cut) {
      off = true;
      throw new PowerCut(operations);
    }
  }

  private void requirePower() throws PowerCut {
    if (off) {
      throw new PowerCut(operations);
    }
  }

  private Node existing(Path path) throws IOException {
    Node node = find(path);
    if (node == null) {
      throw new NoSuchFileException(path.toString());
    }
    return node;
  }

  private @Nullable Node find(Path path) throws PowerCut {
    requirePower();
    Node node = root;
    for (Path name : path) {
      node = node.names.get(name.toString());
      if (node == null) {
        return null;
      }
    }
    return node;
  }

  private static Path parent(Path path) {
    Path parent = path.getParent();
    if (parent == null) {
      throw new IllegalArgumentException(path + " has no directory above it");
    }
    return parent;
  }

  private static String name(Path path) {
    return path.getFileName().toString();
  }
}
