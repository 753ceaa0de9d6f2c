package dev.regen.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;

/**
 * Makes a tree like that of a development environment: libraries in source form, a version control
 * store, build results.
 *
 * <p>Sizes are log-normal with sigma 2 (median 1.5 kB and mean 11 kB at 90,000 files and 1 GB: half
 * the files hold 2 % of the bytes), at most 64 MB, scaled to the total that is asked for. Of the
 * files, 70 % are text of a vocabulary of 4,000 words with Zipf's frequencies, 15 % are random
 * bytes, as compressed objects are, and 15 % are half and half, as build results are. A directory
 * holds 12 files on average, three to six levels deep. The same seed makes the same tree.
 */
public final class TreeGenerator {
  private static final int POOL_BYTES = 64 << 20;
  private static final int FILE_BYTES_MAX = 64 << 20;
  private static final int PART_BYTES_MAX = 1 << 20;
  private static final int WORDS = 4000;
  private static final int FILES_PER_DIRECTORY = 12;

  private final Random random;
  private final byte[] text = new byte[POOL_BYTES];
  private final byte[] noise = new byte[POOL_BYTES];

  private TreeGenerator(long seed) {
    random = new Random(seed);
    random.nextBytes(noise);
    fillWithWords();
  }

  /**
   * Arguments: seed, directory (made), number of files, bytes in all, and {@code even} for files of
   * one size, as of data sets and disk images.
   */
  public static void main(String[] args) throws IOException {
    int files = Integer.parseInt(args[2]);
    long bytes = Long.parseLong(args[3]);
    TreeGenerator generator = new TreeGenerator(Long.parseLong(args[0]));
    long[] sizes =
        args.length > 4 && args[4].equals("even")
            ? LongStream.generate(() -> bytes / files).limit(files).toArray()
            : generator.sizes(files, bytes);
    generator.make(Path.of(args[1]), sizes);
  }

  private void make(Path root, long[] sizes) throws IOException {
    int files = sizes.length;
    Path directory = root;
    for (int i = 0; i < files; i++) {
      if (i % FILES_PER_DIRECTORY == 0) {
        directory = Files.createDirectories(root.resolve(directoryName(i / FILES_PER_DIRECTORY)));
      }
      write(directory.resolve("file-" + i + extension()), sizes[i]);
    }
  }

  private long[] sizes(int files, long bytes) {
    double[] drawn = new double[files];
    Arrays.setAll(drawn, _ -> Math.exp(2 * random.nextGaussian()));
    double scale = bytes / Arrays.stream(drawn).sum();
    long[] sizes = new long[files];
    Arrays.setAll(sizes, i -> (long) Math.min(FILE_BYTES_MAX, drawn[i] * scale));
    return sizes;
  }

  private String directoryName(int number) {
    StringBuilder name = new StringBuilder("package-" + number % 97);
    int levels = 2 + random.nextInt(4);
    for (int level = 0; level < levels; level++) {
      name.append("/part-").append((number >> level) % 31);
    }
    return name.append("-").append(number).toString();
  }

  private String extension() {
    return switch (random.nextInt(4)) {
      case 0 -> ".js";
      case 1 -> ".py";
      case 2 -> ".o";
      default -> "";
    };
  }

  private void write(Path file, long sizeBytes) throws IOException {
    int kind = random.nextInt(100);
    long textBytes = kind < 70 ? sizeBytes : kind < 85 ? 0 : sizeBytes / 2;
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      write(channel, text, textBytes, true);
      write(channel, noise, sizeBytes - textBytes, false);
    }
  }

  /**
   * Pieces of a pool, each disguised by a mask of its own, so that whoever looks for content seen
   * before finds none. One byte all along leaves text as easy to compress as it was.
   */
  private void write(FileChannel channel, byte[] pool, long lengthBytes, boolean words)
      throws IOException {
    for (long left = lengthBytes; left > 0; left -= PART_BYTES_MAX) {
      int length = (int) Math.min(left, PART_BYTES_MAX);
      int offset = random.nextInt(POOL_BYTES - length + 1);
      long mask = words ? random.nextInt(256) * 0x0101_0101_0101_0101L : random.nextLong();
      ByteBuffer part = ByteBuffer.allocate((length + 7) & ~7);
      part.put(pool, offset, length);
      for (int i = 0; i < part.capacity(); i += Long.BYTES) {
        part.putLong(i, part.getLong(i) ^ mask);
      }
      part.flip();
      while (part.hasRemaining()) {
        channel.write(part);
      }
    }
  }

  private void fillWithWords() {
    byte[][] words = new byte[WORDS][];
    for (int i = 0; i < WORDS; i++) {
      StringBuilder word = new StringBuilder();
      for (int letters = 2 + random.nextInt(9); letters > 0; letters--) {
        word.append((char) ('a' + random.nextInt(26)));
      }
      words[i] =
          word.append(random.nextInt(9) == 0 ? ";\n" : " ")
              .toString()
              .getBytes(StandardCharsets.US_ASCII);
    }
    int at = 0;
    while (at < POOL_BYTES) {
      // A uniform exponent makes the frequency of a word fall with its rank, as Zipf found.
      byte[] word = words[(int) Math.pow(WORDS, random.nextDouble()) - 1];
      int length = Math.min(word.length, POOL_BYTES - at);
      System.arraycopy(word, 0, text, at, length);
      at += length;
    }
  }
}
