package dev.regen.agent.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that log in with what {@code htpasswd -B} made, and those that may not. */
@Tag("engine")
final class RegistryLoginTest {
  private static final String RULES =
      """
      {"rights": [
        {"users": ["ann"], "repositories": ["**"], "may": ["pull", "push", "delete"]},
        {"users": ["bob"], "repositories": ["team/**"], "may": ["pull"]},
        {"users": ["anonymous"], "repositories": ["public/**"], "may": ["pull"]}]}
      """;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private final Random random = new Random();

  @SuppressWarnings("NullAway.Init")
  private TestManager manager;

  @BeforeEach
  void open() throws Exception {
    Path htpasswd = directory.resolve("htpasswd");
    Program.plain().run("htpasswd", "-Bbc", htpasswd.toString(), "ann", "of ann's").ok();
    Program.plain().run("htpasswd", "-Bb", htpasswd.toString(), "bob", "of bob's").ok();
    Path rules = Files.writeString(directory.resolve("rules.json"), RULES);
    manager = TestManager.open("dir:" + directory.resolve("store"), htpasswd, rules);
  }

  @AfterEach
  void close() throws Exception {
    manager.close();
  }

  @Test
  void dockerPushesAndMountsAfterLogin() throws Exception {
    String first = manager.host() + "/team/first:1";
    String second = manager.host() + "/team/second:1";
    Program ann = docker("ann");
    TestImage image = TestImage.make(directory, random, first, 2, 100_000);
    ann.run("docker", "load", "--input", image.archive().toString()).ok();
    ann.run("docker", "tag", first, second).ok();
    try {
      ann.run("docker", "push", first).ok();
      String pushed = ann.run("docker", "push", second).ok();
      assertThat(pushed.lines().filter(line -> line.contains("Mounted from"))).hasSize(2);
      ann.run("docker", "rmi", first, second).ok();

      docker("bob").run("docker", "pull", second).ok();
    } finally {
      ann.run("docker", "rmi", "--force", first, second);
    }
  }

  @Test
  void dockerIsToldThatAPushIsDenied() throws Exception {
    String name = manager.host() + "/team/denied:1";
    Program bob = docker("bob");
    TestImage image = TestImage.make(directory, random, name, 1, 1_000);
    bob.run("docker", "load", "--input", image.archive().toString()).ok();
    try {
      Program.Ran push = bob.run("docker", "push", name);

      assertThat(push.code()).isNotZero();
      assertThat(push.text()).containsAnyOf("denied", "unauthorized");
    } finally {
      bob.run("docker", "rmi", "--force", name);
    }
  }

  @Test
  void dockerIsToldThatThePasswordIsWrong() throws Exception {
    Program.Ran login =
        config("nobody").run("docker", "login", "--username=ann", "--password=no", manager.host());

    assertThat(login.code()).isNotZero();
    assertThat(login.text()).contains("unauthorized");
  }

  @Test
  void skopeoPushesAfterLoginAndAnybodyPullsWhatIsPublic() throws Exception {
    Program ann = Program.plain().with("REGISTRY_AUTH_FILE", directory.resolve("ann.json"));
    Program nobody = Program.plain().with("REGISTRY_AUTH_FILE", directory.resolve("none.json"));
    String name = "docker://" + manager.host() + "/public/it:1";
    TestImage image = TestImage.make(directory, random, "it:1", 2, 100_000);
    ann.run(
            "skopeo",
            "login",
            "--tls-verify=false",
            "--username=ann",
            "--password=of ann's",
            manager.host())
        .ok();

    ann.run("skopeo", "copy", "--dest-tls-verify=false", image.source(), name).ok();

    nobody
        .run(
            "skopeo",
            "copy",
            "--src-tls-verify=false",
            name,
            "oci:" + directory.resolve("layout") + ":1")
        .ok();
    assertThat(nobody.run("skopeo", "copy", "--dest-tls-verify=false", image.source(), name).code())
        .isNotZero();
    ann.run("skopeo", "delete", "--tls-verify=false", name).ok();
  }

  @Test
  void podmanPushesAfterLoginAndAnotherPulls() throws Exception {
    try (Podman ann = new Podman(directory.resolve("ann"));
        Podman bob = new Podman(directory.resolve("bob"))) {
      String name = manager.host() + "/team/podman:1";
      TestImage image = TestImage.make(directory, random, name, 2, 100_000);
      login(ann, "ann", "of ann's").ok();
      login(bob, "bob", "of bob's").ok();
      ann.run("load", "--input", image.archive().toString()).ok();

      ann.run("push", "--tls-verify=false", name).ok();

      assertThat("sha256:" + bob.run("pull", "--tls-verify=false", name).last())
          .isEqualTo(image.id());
      assertThat(bob.run("push", "--tls-verify=false", name).code()).isNotZero();
    }
  }

  private Program.Ran login(Podman podman, String user, String password) throws Exception {
    return podman.run(
        "login",
        "--tls-verify=false",
        "--username=" + user,
        "--password=" + password,
        manager.host());
  }

  /** {@code docker} with a user's login. */
  private Program docker(String user) throws Exception {
    Program docker = config(user);
    docker
        .run(
            "docker", "login", "--username=" + user, "--password=of " + user + "'s", manager.host())
        .ok();
    return docker;
  }

  private Program config(String user) throws Exception {
    return Program.plain()
        .with("DOCKER_CONFIG", Files.createDirectories(directory.resolve("docker-" + user)));
  }
}
