package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Layers that other tools made become the trees those tools were given. */
final class LayerImportTest {
  private static final String FACTS =
      "export LC_ALL=C; find . ! -type d -printf '%p|%y|%m|%U|%G|%s|%Ts|%n|%l\\n' | sort;"
          + "find . -type d -printf '%p|%y|%m|%U|%G|%Ts\\n' | sort;"
          + "find . -type f | sort | xargs -d '\\n' sha256sum";

  @TempDir private Path directory;

  @BeforeEach
  void tree() throws IOException {
    assumeTrue(Tool.isRoot(), "owners and devices take root");
    Tool.bash(
        directory,
        """
        mkdir -p tree/d/e tree/f; cd tree
        echo a > a; ln a d/second; ln -s ../nowhere d/e/link; mknod f/null c 1 3; mkfifo f/fifo
        head -c 3000000 /dev/urandom > f/large; chmod 4755 f/large; chown 1000:2000 a
        chmod 700 d; chmod 1777 f; touch -d 2001-02-03 d a
        """);
  }

  @ParameterizedTest
  @CsvSource({
    "v7,cat",
    "ustar,cat",
    "oldgnu,cat",
    "gnu,cat",
    "posix,cat",
    "posix,gzip",
    "posix,zstd",
    "gnu,zstd --long=27",
  })
  void everyFormatOfGnuTarIsRead(String format, String filter) throws IOException {
    String without = format.equals("v7") ? "--exclude=null --exclude=fifo" : "";
    if (!without.isEmpty()) {
      Tool.bash(directory, "rm tree/f/null tree/f/fifo; touch -d 2001-02-03 tree/f");
    }
    Path target = imported("tar --format=" + format + " -C tree -c . | " + filter);

    assertThat(Tool.bash(target, FACTS)).isEqualTo(Tool.bash(directory.resolve("tree"), FACTS));
  }

  @ParameterizedTest
  @CsvSource({"gnu", "oldgnu", "posix"})
  void longNamesLargeNumbersAndOddBytesAreRead(String format) throws IOException {
    Tool.bash(
        directory.resolve("tree"),
        """
        n=$(printf 'n%.0s' {1..255}); mkdir -p $n/$n; echo x > $n/$n/$n; ln $n/$n/$n $n/second
        ln -s $n$n$n $n/link; echo x > $'\\xff\\xfe'; ln $'\\xff\\xfe' $'\\xe9'
        chown 3000000:4000000 $n/second; touch -d '1960-01-01 UTC' $n/second $'\\xe9'
        touch -h -d 1999-01-01 $n/link
        """);
    Path target = imported("tar --format=" + format + " -C tree -c .");

    assertThat(Tool.bash(target, FACTS)).isEqualTo(Tool.bash(directory.resolve("tree"), FACTS));
  }

  @Test
  void attributesThatGnuTarWroteAreSet() throws IOException {
    Tool.bash(
        directory.resolve("tree"),
        "setfattr -n user.x=%y -v 0x000aff a; cp /bin/true t; chown 3:3 t; setcap cap_chown+ep t;"
            + "setfacl -m u:77:rwx d; setfacl -d -m u:78:rx d");
    Path target = imported("tar --xattrs --xattrs-include='*' -C tree -c .");

    String attributes = "getfattr -h -R -d -m - -e hex . | LC_ALL=C sort";
    assertThat(Tool.bash(target, attributes))
        .isEqualTo(Tool.bash(directory.resolve("tree"), attributes));
  }

  @Test
  void membersInNoOrderBecomeTheSameTree() throws IOException {
    Tool.bash(directory, "setfacl -d -m u:78:rx tree/f");
    Path target =
        imported(
            "cd tree; (find . -type d; find . ! -type d | sort -R) > ../list;"
                + "tar --no-recursion --xattrs --xattrs-include='*' -c -T ../list");

    assertThat(Tool.bash(target, FACTS)).isEqualTo(Tool.bash(directory.resolve("tree"), FACTS));
    assertThat(Tool.bash(target, "getfacl -c f | grep default:user:78")).contains("r-x");
    assertThat(Tool.bash(target, "getfacl -c f/large")).doesNotContain("78");
  }

  @Test
  void longRunsOfZerosBecomeHoles() throws IOException {
    Tool.bash(directory, "truncate -s 50M tree/zeros; echo x >> tree/zeros");
    Path target = imported("tar -C tree -c .");

    assertThat(Tool.bash(target, FACTS)).isEqualTo(Tool.bash(directory.resolve("tree"), FACTS));
    assertThat(Tool.bash(target, "stat -c %b zeros").strip()).isEqualTo("8");
  }

  @Test
  void sparseMembersAreRefusedWithTheWayToMendIt() throws IOException {
    Tool.bash(directory, "truncate -s 50M tree/zeros");

    for (String format : new String[] {"gnu", "posix"}) {
      assertThatThrownBy(() -> imported("tar -S --format=" + format + " -C tree -c ."))
          .isInstanceOf(RegenException.BadInput.class)
          .hasMessageContaining("zeros")
          .hasMessageContaining("without tar's -S");
    }
  }

  private Path imported(String command) throws IOException {
    Tool.bash(directory, "(" + command + ") > layer");
    Path target = directory.resolve("target");
    try (InputStream in = Files.newInputStream(directory.resolve("layer"))) {
      new LayerImport().unpack(in, target, LayerImport.Limits.of(directory));
    }
    return target;
  }
}
