package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.snapshot.RegenException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** ACLs in text form, as tar tools write them; getfacl says what they should have become. */
final class LayerImportAclTest {
  @TempDir private Path directory;

  @BeforeEach
  void root() throws IOException {
    assumeTrue(Tool.isRoot(), "owners take root");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--acls --xattrs",
        "--acls",
        "--acls --numeric-owner",
        "--acls --xattrs --xattrs-include='*'"
      })
  void aclsOfGnuTarAreThoseOfTheTree(String options) throws IOException {
    Tool.bash(
        directory,
        """
        mkdir -p tree/d/e; cd tree; echo a > a; echo b > d/b; chmod 640 d/b
        setfacl -m u:1234:rw,u:daemon:r,g:adm:x,g:4321:rwx,m::rx a
        setfacl -m u:4294967294:r d/b; setfacl -d -m u:77:rwx,o::- d; setfacl -d -m g::r d/e
        """);
    Path target = directory.resolve("target");
    Process tar =
        new ProcessBuilder("bash", "-c", "tar " + options + " -C tree -c .")
            .directory(directory.toFile())
            .start();
    try (InputStream in = tar.getInputStream()) {
      new LayerImport().unpack(in, target, LayerImport.Limits.of(directory));
    }

    assertThat(Tool.bash(target, "getfacl -nR . | sort"))
        .isEqualTo(Tool.bash(directory.resolve("tree"), "getfacl -nR . | sort"))
        .contains("user:1234:rw-", "default:user:77:rwx");
  }

  /** The forms of star and libarchive, each against what setfacl makes of the usual one. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "user::rw-,user:nosuchname:r-x:502,group::r--,mask::r-x,other::r--",
        "other::r--\nmask::r-x\ngroup::r--\nuser:502:r-x\t#effective:r-x\nuser::rw-\n",
        "u::rw,u:502:rx,g::r,m::rx,o::r",
      })
  void otherFormsAreTheSame(String text) throws IOException {
    unpack("SCHILY.acl.access", text);
    Tool.bash(directory, "echo x > f; chmod 644 f; setfacl -m u:502:rx,m::rx f; chmod g=r f");

    assertThat(Tool.bash(directory.resolve("target"), "getfacl -nc f"))
        .isEqualTo(Tool.bash(directory, "getfacl -nc f"));
  }

  @Test
  void listThatSaysNoMoreThanThePermissionsIsNone() throws IOException {
    unpack("SCHILY.acl.access", "user::rwx,group::r-x,other::r-x");

    assertThat(Tool.bash(directory.resolve("target"), "getfattr -m - -d f")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "user::rwx",
        "user::rw-,user:5:r--,group::r--,other::r--",
        "user::rw-,group::r--,other::r--,other::rwx",
        "user::rw-,group::r--,mask:5:r--,other::r--",
        "user::rw-,user:4294967295:r--,group::r--,mask::r--,other::r--",
        "user::rw-,user:-1:r--,group::r--,mask::r--,other::r--",
        "user::rw-,user:no-such-user:r--,group::r--,mask::r--,other::r--",
        "user::rw-,user:5:r--:x,group::r--,mask::r--,other::r--",
        "user::rwxrwx,group::r--,other::r--",
        "user::s,group::r--,other::r--",
        "root,group::r--,other::r--",
        "evil::r--,group::r--,other::r--",
        "user::rw-,group::r--,other::r--:a:b:c",
      })
  void malformedListIsRefused(String text) {
    assertThatThrownBy(() -> unpack("SCHILY.acl.access", text))
        .isInstanceOf(RegenException.BadInput.class)
        .hasMessageContaining("access control list");
    assertThat(directory.resolve("target")).doesNotExist();
  }

  @Test
  void endlessListIsRefused() {
    String many =
        IntStream.range(0, 60_000).mapToObj(i -> "u:" + i + ":r").collect(Collectors.joining(","));

    assertThatThrownBy(() -> unpack("SCHILY.acl.access", "u::r,g::r,m::r,o::r," + many))
        .isInstanceOf(RegenException.BadInput.class)
        .hasMessageContaining("too many");
  }

  @Test
  void otherKindsOfListsAreRefused() {
    assertThatThrownBy(() -> unpack("SCHILY.acl.ace", "owner@:rwx:allow"))
        .isInstanceOf(RegenException.BadInput.class)
        .hasMessageContaining("SCHILY.acl.ace");
  }

  private void unpack(String key, String text) throws IOException {
    byte[] layer = new TarBytes().pax(key, text).file("f", "x").end();
    new LayerImport()
        .unpack(
            new ByteArrayInputStream(layer),
            directory.resolve("target"),
            LayerImport.Limits.of(directory));
  }
}
