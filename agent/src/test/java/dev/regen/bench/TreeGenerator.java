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

  /** Arguments: seed, directory (made), number of files, bytes in all. */
  public static void main(String[] args) throws IOException {
    new TreeGenerator(Long.parseLong(args[0]))
        .make(Path.of(args[1]), Integer.parseInt(args[2]), Long.parseLong(args[3]));
  }

  private void make(Path root, int files, long bytes) throws IOException {
    int[] sizes = sizes(files, bytes);
    Path directory = root;
    for (int i = 0; i < files; i++) {
      if (i % FILES_PER_DIRECTORY == 0) {
        directory = Files.createDirectories(root.resolve(directoryName(i / FILES_PER_DIRECTORY)));
      }
      write(directory.resolve("file-" + i + extension()), sizes[i]);
    }
  }

  private int[] sizes(int files, long bytes) {
    double[] drawn = new double[files];
    Arrays.setAll(drawn, _ -> Math.exp(2 * random.nextGaussian()));
    double scale = bytes / Arrays.stream(drawn).sum();
    int[] sizes = new int[files];
    Arrays.setAll(sizes, i -> (int) Math.min(FILE_BYTES_MAX, drawn[i] * scale));
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

  private void write(Path file, int sizeBytes) throws IOException {
    int kind = random.nextInt(100);
    int textBytes = kind < 70 ? sizeBytes : kind < 85 ? 0 : sizeBytes / 2;
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      write(channel, text, textBytes);
      write(channel, noise, sizeBytes - textBytes);
    }
  }

  private void write(FileChannel channel, byte[] pool, int lengthBytes) throws IOException {
    int offset = random.nextInt(POOL_BYTES - lengthBytes + 1);
    ByteBuffer slice = ByteBuffer.wrap(pool, offset, lengthBytes);
    while (slice.hasRemaining()) {
      channel.write(slice);
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
