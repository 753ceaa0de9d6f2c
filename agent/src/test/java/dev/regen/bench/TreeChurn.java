package dev.regen.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Changes part of a tree as work does.
 *
 * <p>{@code clustered}: whole directories, drawn at random, until the share of files is reached, as
 * a package update, a checkout or a build changes them. {@code scattered}: single files drawn at
 * random, the worst case for whoever keeps small files in groups. A file that is changed is
 * rewritten in place: its first half stays, its second half is new. The same seed makes the same
 * changes on the same tree.
 */
public final class TreeChurn {
  private TreeChurn() {}

  /** Arguments: seed, directory, files to change of a thousand, clustered or scattered. */
  public static void main(String[] args) throws IOException {
    Random random = new Random(Long.parseLong(args[0]));
    List<Path> files = new ArrayList<>(files(Path.of(args[1])));
    int wanted = Math.max(1, (int) (files.size() * Long.parseLong(args[2]) / 1000));
    List<Path> changed =
        args[3].equals("scattered")
            ? scattered(files, wanted, random)
            : clustered(files, wanted, random);
    for (Path file : changed) {
      rewrite(file, random);
    }
  }

  private static List<Path> files(Path root) throws IOException {
    try (Stream<Path> walk = Files.walk(root)) {
      return walk.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private static List<Path> scattered(List<Path> files, int wanted, Random random) {
    Collections.shuffle(files, random);
    return files.subList(0, wanted);
  }

  private static List<Path> clustered(List<Path> files, int wanted, Random random) {
    List<Path> directories =
        new ArrayList<>(files.stream().map(Path::getParent).distinct().toList());
    Collections.shuffle(directories, random);
    List<Path> changed = new ArrayList<>();
    for (Path directory : directories) {
      if (changed.size() >= wanted) {
        break;
      }
      files.stream().filter(file -> directory.equals(file.getParent())).forEach(changed::add);
    }
    return changed;
  }

  private static void rewrite(Path file, Random random) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      long from = channel.size() / 2;
      byte[] fresh = new byte[(int) Math.min(channel.size() - from, 1 << 20)];
      random.nextBytes(fresh);
      // Letters compress about as text does.
      for (int i = 0; i < fresh.length; i++) {
        fresh[i] = (byte) ('a' + (fresh[i] & 0xF));
      }
      ByteBuffer bytes = ByteBuffer.wrap(fresh);
      while (bytes.hasRemaining()) {
        from += channel.write(bytes, from);
      }
    }
  }
}
