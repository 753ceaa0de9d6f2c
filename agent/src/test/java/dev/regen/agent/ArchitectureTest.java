package dev.regen.agent;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.regen.runtime.os.Fd;
import java.nio.channels.FileChannel;
import java.nio.file.CopyOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** What the design says of modules and libraries, held. */
final class ArchitectureTest {
  private static final JavaClasses ALL =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          // The tests of other modules come as a jar.
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages("dev.regen");

  @Test
  void agentUsesSnapshotterUsesRuntimeAndNeverTheOtherWay() {
    noClasses()
        .that()
        .resideInAPackage("dev.regen.runtime..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.regen.snapshot..", "dev.regen.agent..")
        .check(ALL);
    noClasses()
        .that()
        .resideInAPackage("dev.regen.snapshot..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.regen.agent..")
        .check(ALL);
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("dev.regen.(*).(*)..").should().beFreeOfCycles().check(ALL);
  }

  @Test
  void queueChunkAndStoreKnowNothingOfContainers() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "dev.regen.snapshot.queue..",
            "dev.regen.snapshot.chunk..",
            "dev.regen.snapshot.store..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.regen.runtime.oci..", "dev.regen.runtime.docker..")
        .check(ALL);
  }

  @Test
  void eachLibraryStandsBehindOnePackage() {
    only("com.github.dockerjava..", "dev.regen.runtime.docker..");
    only("com.sun.jna..", "dev.regen.runtime.os..");
    only("org.apache.commons.compress..", "dev.regen.snapshot.layer..");
    only("software.amazon..", "dev.regen.snapshot.remote.s3..");
    only("io.prometheus..", "dev.regen.agent.observe..");
    only("ch.qos.logback..", "dev.regen.agent.observe..");
    only(
        "org.eclipse.jetty..",
        "dev.regen.agent.api..",
        "dev.regen.agent.storage..",
        "dev.regen.agent.tcp..",
        "dev.regen.agent.registry..");
  }

  @Test
  void onlyDurableRenamesAndForces() {
    noClasses()
        .that(resideOutsideOfPackages("dev.regen.runtime.durable..", "dev.regen.runtime.os.."))
        .should()
        .callMethod(Files.class, "move", Path.class, Path.class, CopyOption[].class)
        .orShould()
        .callMethod(FileChannel.class, "force", boolean.class)
        .orShould()
        .callMethod(Fd.class, "renameAt", byte[].class, Fd.class, byte[].class, int.class)
        .orShould()
        .callMethod(Fd.class, "fsync")
        .orShould()
        .callMethod(Fd.class, "fdatasync")
        .check(ALL);
  }

  @Test
  void onlyTheCommandLinePrints() {
    noClasses()
        .that(resideOutsideOfPackages("dev.regen.agent.cli..", "dev.regen.agent.hook.."))
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .check(ALL);
  }

  @Test
  void clockStandsBehindAnInterface() {
    noClasses()
        .should()
        .callMethod(Instant.class, "now")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .check(ALL);
  }

  private static void only(String library, String... users) {
    noClasses()
        .that(resideOutsideOfPackages(users))
        .should()
        .dependOnClassesThat()
        .resideInAPackage(library)
        .check(ALL);
  }
}
