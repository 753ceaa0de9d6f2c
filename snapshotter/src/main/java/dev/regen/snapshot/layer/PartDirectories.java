package dev.regen.snapshot.layer;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The directories that one part of an archive makes things in, while other threads unpack the parts
 * before and after it into the same tree.
 *
 * <p>Members must come in the order of {@link Parts}. So a directory whose entry is in this part,
 * and which is left within it, is whole: it gets its attributes at once. Those still entered at the
 * end go on in the parts that follow, and {@link #unfinished} tells them. A directory that another
 * part has the entry of is made without attributes, if that part has not come to it yet.
 */
final class PartDirectories implements Directories {
  private static final int OPEN_MAX = 64;
  private static final int WHILE_OPEN = 0700;
  private static final int DIRECTORY = Fd.RDONLY | Fd.DIRECTORY;

  /** A directory whose attributes are still to be set, by its names from the root. */
  record Unfinished(List<byte[]> names, TarMember member) {}

  /** One directory on the way down; {@code member} is null if its entry is in another part. */
  private static final class Level {
    private final byte[] name;
    private @Nullable Fd fd;
    private @Nullable TarMember member;

    private Level(byte[] name, Fd fd) {
      this.name = name;
      this.fd = fd;
    }
  }

  private final Fd root;
  private final MemberAttributes attributes;
  private final List<Level> levels = new ArrayList<>();
  private @Nullable TarMember rootMember;

  /** {@code root} stays the caller's to close. */
  PartDirectories(Fd root, MemberAttributes attributes) {
    this.root = root;
    this.attributes = attributes;
  }

  @Override
  public Fd at(List<byte[]> names, TarMember cause) throws IOException {
    int same = commonLevels(names);
    while (levels.size() > same) {
      leave();
    }
    for (byte[] name : names.subList(same, names.size())) {
      enter(name);
    }
    return lowest();
  }

  @Override
  public void add(MemberPath path, TarMember member) throws IOException {
    if (path.isRoot()) {
      rootMember = member;
      return;
    }
    at(path.parents(), member);
    enter(path.name());
    levels.getLast().member = member;
  }

  /** Those whose entry was in this part and which later parts may go on with, topmost first. */
  List<Unfinished> unfinished() {
    List<Unfinished> all = new ArrayList<>();
    List<byte[]> names = new ArrayList<>();
    if (rootMember != null) {
      all.add(new Unfinished(List.of(), rootMember));
    }
    for (Level level : levels) {
      names.add(level.name);
      if (level.member != null) {
        all.add(new Unfinished(List.copyOf(names), level.member));
      }
    }
    return all;
  }

  @Override
  public void finish() {
    // What is left to do is in unfinished().
  }

  @Override
  public void close() {
    for (Level level : levels) {
      if (level.fd != null) {
        level.fd.close();
      }
    }
  }

  private int commonLevels(List<byte[]> names) {
    int same = 0;
    while (same < names.size()
        && same < levels.size()
        && Arrays.equals(levels.get(same).name, names.get(same))) {
      same++;
    }
    return same;
  }

  private void enter(byte[] name) throws IOException {
    Fd above = lowest();
    try {
      above.mkdirAt(name, WHILE_OPEN);
    } catch (ErrnoException e) {
      if (!e.is(ErrnoException.EEXIST)) {
        throw e;
      }
      // Another part was here before; if it is no directory, it cannot be opened as one.
    }
    levels.add(new Level(name, above.openBeneath(name, DIRECTORY, 0)));
    int far = levels.size() - 1 - OPEN_MAX;
    Fd farAbove = far >= 0 ? levels.get(far).fd : null;
    if (farAbove != null) {
      farAbove.close();
      levels.get(far).fd = null;
    }
  }

  private void leave() throws IOException {
    Level level = levels.getLast();
    if (level.member != null) {
      attributes.applyToDirectory(lowest(), level.member, false);
    }
    Fd fd = lowest();
    levels.removeLast();
    fd.close();
  }

  private Fd lowest() throws IOException {
    if (levels.isEmpty()) {
      return root;
    }
    Level level = levels.getLast();
    if (level.fd == null) {
      level.fd = Beneath.open(root, levels.stream().map(each -> each.name).toList(), DIRECTORY);
    }
    return level.fd;
  }
}
